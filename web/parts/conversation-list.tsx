import { useComputed, useSignal, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ConversationSummary } from '../net/api.ts';
import type { App } from '../state/app.ts';
import { texts } from '../texts.ts';

const MAXIMUM_TITLE_LENGTH = 80;

/** The user's conversations, the latest first. */
export function ConversationList({ app }: { readonly app: App }): JSX.Element {
  const found = useComputed(() => {
    const words = app.search.value.trim().toLocaleLowerCase();
    return app.conversations.value.filter(({ title }) => title.toLocaleLowerCase().includes(words));
  });
  const isEmpty = app.conversations.value.length === 0;
  return (
    <nav class={app.isListOpen.value ? 'list open' : 'list'} aria-label={texts.conversations}>
      <button
        type="button"
        onClick={() => {
          app.open();
        }}
      >
        {texts.newConversation}
      </button>
      <input
        id="search"
        type="search"
        aria-label={texts.searchConversations}
        placeholder={texts.searchConversations}
        value={app.search.value}
        onInput={(event) => {
          app.search.value = event.currentTarget.value;
        }}
      />
      {isEmpty && <p class="soft">{texts.noConversations}</p>}
      {!isEmpty && found.value.length === 0 && <p class="soft">{texts.nothingFound}</p>}
      <ul>
        {found.value.map((each) => (
          <Line key={each.sessionId} app={app} conversation={each} />
        ))}
      </ul>
      {app.next.value !== undefined && (
        <button type="button" class="quiet" onClick={() => void app.more()}>
          {texts.more}
        </button>
      )}
      <Person app={app} />
    </nav>
  );
}

function Person({ app }: { readonly app: App }): JSX.Element {
  const usage = app.usage.value;
  return (
    <footer class="soft">
      <p>{texts.signedInAs(app.displayName.value)}</p>
      <ul aria-label={texts.accounts}>
        {app.names.connections.value.map(({ provider, label, account }) => (
          <li key={provider}>{texts.accountAt(label, account?.login)}</li>
        ))}
      </ul>
      {usage !== undefined && <p>{texts.tokens(usage.used.inputTokens + usage.used.outputTokens)}</p>}
      <p>
        <a
          href="/?view=connections"
          aria-current={app.areConnectionsShown.value ? 'page' : undefined}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            app.openConnections();
          }}
        >
          {texts.connections.open}
        </a>{' '}
        · <a href="/sign-out">{texts.signOut}</a> · <a href="/docs">{texts.api}</a> ·{' '}
        <button
          type="button"
          class="link"
          onClick={() => {
            app.areKeysShown.value = true;
          }}
        >
          {texts.keys.open}
        </button>
      </p>
    </footer>
  );
}

interface LineProps {
  readonly app: App;
  readonly conversation: ConversationSummary;
}

function Line({ app, conversation }: LineProps): JSX.Element {
  const { sessionId } = conversation;
  const title = conversation.title === '' ? texts.untitled : conversation.title;
  const isChanged = useSignal(false);
  if (isChanged.value) return <Change {...{ app, conversation, isChanged }} />;
  return (
    <li>
      <a
        href={`?c=${sessionId}`}
        aria-current={app.chat.value.id === sessionId && !app.areConnectionsShown.value ? 'page' : undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          app.open(sessionId);
        }}
      >
        {title}
      </a>
      <button
        type="button"
        class="quiet"
        aria-label={texts.changeConversation(title)}
        onClick={() => {
          isChanged.value = true;
        }}
      >
        ⋯
      </button>
    </li>
  );
}

/** Rename, or delete after asking once more. */
function Change({
  app,
  conversation,
  isChanged,
}: LineProps & { readonly isChanged: Signal<boolean> }): JSX.Element {
  const { sessionId, title } = conversation;
  const text = useSignal(title);
  const isAsked = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
  }, []);
  const close = (): void => {
    isChanged.value = false;
  };
  return (
    <li>
      <form
        class="asked"
        onSubmit={(event) => {
          event.preventDefault();
          if (/\S/.test(text.value)) void app.rename(sessionId, text.value.trim());
          close();
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.preventDefault();
          close();
        }}
      >
        {isAsked.value ? (
          <p role="alert">{texts.reallyDelete(title)}</p>
        ) : (
          <input
            aria-label={texts.renameConversation(title)}
            maxLength={MAXIMUM_TITLE_LENGTH}
            ref={field}
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
        )}
        {!isAsked.value && <button type="submit">{texts.save}</button>}
        <button
          type="button"
          class={isAsked.value ? 'danger' : 'plain'}
          onClick={() => {
            if (isAsked.value) void app.remove(sessionId);
            isAsked.value = true;
          }}
        >
          {texts.delete}
        </button>
        <button type="button" class="plain" onClick={close}>
          {isAsked.value ? texts.keep : texts.cancel}
        </button>
      </form>
    </li>
  );
}
