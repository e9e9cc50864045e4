import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { allOf, spokenSentences, type Spoken } from '../state/spoken.ts';
import type { Chat } from '../state/chat.ts';
import { texts } from '../texts.ts';

/** Tells assistive software what is new: an answer sentence by sentence, and that it is complete or waits for the user. */
export function Announcer({ chat }: { readonly chat: Chat }): JSX.Element {
  const said = useSignal('');
  const spoken = useRef<Spoken>({ id: undefined, length: 0 });
  const wasRunning = useRef(false);
  const isRunning = chat.isRunning.value;
  const ending = chat.ending.value;
  const items = chat.items.value;
  useEffect(() => {
    // Users read older answers themselves.
    if (isRunning && !wasRunning.current) spoken.current = allOf(items);
    else if (isRunning || wasRunning.current) {
      const { text, now } = spokenSentences(items, spoken.current);
      spoken.current = now;
      const end = ending === undefined ? '' : texts.endings[ending];
      said.value = isRunning ? text || said.peek() : `${text} ${end}`.trim();
    }
    wasRunning.current = isRunning;
  }, [items, isRunning, ending]);
  return (
    <p class="unseen" role="status">
      {said.value}
    </p>
  );
}
