import type { JSX } from 'preact';
import type { App } from '../state/app.ts';
import { texts } from '../texts.ts';

/** A link to a conversation, by its title where it is listed. */
export function ConversationLink({
  app,
  sessionId,
}: {
  readonly app: App;
  readonly sessionId: string;
}): JSX.Element {
  const known = app.conversations.value.find((each) => each.sessionId === sessionId)?.title;
  return (
    <a
      href={`/?c=${sessionId}`}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        app.open(sessionId);
      }}
    >
      {known === undefined || known === '' ? texts.connections.conversation : known}
    </a>
  );
}
