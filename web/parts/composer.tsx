import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { App } from '../state/app.ts';
import type { Chat } from '../state/chat.ts';
import { drafts } from '../state/drafts.ts';
import { texts } from '../texts.ts';

const MAXIMUM_LENGTH = 32_000;
const MAXIMUM_ROWS = 8;

/** The box at the bottom. Enter sends, Shift and Enter begin a new line. While an answer comes, messages wait. */
export function Composer({ app }: { readonly app: App }): JSX.Element {
  const chat = app.chat.value;
  const text = useSignal('');
  const box = useRef<HTMLTextAreaElement>(null);
  const justComposed = useRef(false);
  const change = (value: string): void => {
    text.value = value;
    drafts.keep(app.isNew() ? undefined : chat.id, value);
  };
  useEffect(() => {
    text.value = drafts.of(app.isNew() ? undefined : chat.id);
    box.current?.focus();
  }, [chat]);
  useSignalEffect(() => {
    const unsent = app.chat.value.unsent.value;
    if (unsent === undefined) return;
    app.chat.value.unsent.value = undefined;
    // The user's unfinished text stays.
    change([unsent, text.peek()].filter((each) => each !== '').join('\n\n'));
    box.current?.focus();
  });
  const send = (): void => {
    if (!/\S/.test(text.value)) return;
    const sent = text.value;
    change('');
    chat.send(sent);
  };
  // In Safari, the key that ends a composition comes after its end.
  const composed = (): void => {
    justComposed.current = true;
    setTimeout(() => (justComposed.current = false));
  };
  const press = (event: TargetedKeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === 'ArrowUp' && text.value === '') {
      const last = chat.lastMessage();
      if (last === undefined) return;
      event.preventDefault();
      change(last);
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && !justComposed.current) {
      event.preventDefault();
      send();
    }
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Queue app={app} />
      <div class="box">
        <textarea
          id="message"
          aria-label={texts.messageLabel}
          ref={box}
          rows={Math.min(MAXIMUM_ROWS, text.value.split('\n').length)}
          maxLength={MAXIMUM_LENGTH}
          placeholder={texts.placeholder}
          value={text.value}
          onInput={(event) => {
            change(event.currentTarget.value);
          }}
          onKeyDown={press}
          onCompositionEnd={composed}
        />
        <Buttons chat={chat} isEmpty={!/\S/.test(text.value)} />
      </div>
    </form>
  );
}

function Buttons({ chat, isEmpty }: { readonly chat: Chat; readonly isEmpty: boolean }): JSX.Element {
  return (
    <>
      {chat.isRunning.value && (
        <button type="button" class="plain" onClick={() => void chat.stop()}>
          {texts.stop}
        </button>
      )}
      <button type="submit" disabled={isEmpty}>
        {texts.send}
      </button>
    </>
  );
}

function Queue({ app }: { readonly app: App }): JSX.Element | null {
  const chat = app.chat.value;
  if (chat.queue.value.length === 0) return null;
  return (
    <div class="queue">
      <p class="soft">{texts.queued}</p>
      <ul>
        {chat.queue.value.map((text, index) => (
          <li key={index}>
            <span>{text}</span>
            <button
              type="button"
              class="quiet"
              aria-label={texts.unqueue(text)}
              onClick={() => {
                chat.unqueue(index);
              }}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
