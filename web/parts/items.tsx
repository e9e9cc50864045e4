import type { JSX } from 'preact';
import type { Chat } from '../state/chat.ts';
import type { Item, ToolStep } from '../state/items.ts';
import type { Names } from '../state/names.ts';
import { texts } from '../texts.ts';
import { CopyButton } from './copy-button.tsx';
import { Guarded } from './guarded.tsx';
import { Markdown } from './markdown.tsx';

interface ItemsProps {
  readonly chat: Chat;
  readonly names: Names;
}

/** The conversation from top to bottom. */
export function Items({ chat, names }: ItemsProps): JSX.Element {
  const again = chat.again.value;
  return (
    <>
      <ol class="items">
        {chat.items.value.map((item) => (
          <li key={item.id} class={`item ${item.kind}`}>
            <Guarded item={item}>
              <Shown {...{ item, chat, names }} />
            </Guarded>
          </li>
        ))}
      </ol>
      {again !== undefined && (
        <button
          type="button"
          class="plain again"
          onClick={() => {
            chat.send(again);
          }}
        >
          {texts.sendAgain}
        </button>
      )}
    </>
  );
}

function Shown({ item, chat, names }: ItemsProps & { readonly item: Item }): JSX.Element {
  switch (item.kind) {
    case 'user':
      return (
        <>
          <span class="unseen">{texts.you}</span>
          <p class="bubble">{item.text}</p>
          <button
            type="button"
            class="quiet edit"
            aria-label={texts.editAgain(item.text)}
            onClick={() => {
              chat.unsent.value = item.text;
            }}
          >
            {texts.edit}
          </button>
        </>
      );
    case 'answer':
      return (
        <>
          <span class="unseen">{texts.assistant}</span>
          <Markdown text={item.text} />
          {!item.isOpen && <CopyButton text={item.text} />}
        </>
      );
    case 'reasoning':
      return (
        <details>
          <summary>{texts.reasoning}</summary>
          <p>{item.text}</p>
        </details>
      );
    case 'step':
      return (
        <Step step={item} title={names.tool(item.name)} isOpen={chat.isRunning.value || isWaiting(chat)} />
      );
    case 'note':
      return <p>{item.text}</p>;
    case 'error':
      return (
        <div role="alert">
          <p>{item.text}</p>
          {item.requestId !== undefined && (
            <p class="soft">
              {texts.requestId(item.requestId)} <CopyButton text={item.requestId} />
            </p>
          )}
        </div>
      );
  }
}

function isWaiting({ interrupts }: Chat): boolean {
  return interrupts.value.length > 0;
}

/** A call of a tool in one line; its input and result on demand. */
function Step({
  step,
  title,
  isOpen,
}: {
  readonly step: ToolStep;
  readonly title: string;
  readonly isOpen: boolean;
}): JSX.Element {
  const { result, startedAt, endedAt } = step;
  const failed = errorOf(result);
  return (
    <details class={failed === undefined ? '' : 'failed'}>
      <summary>
        {result === undefined && isOpen ? texts.step.running(title) : title}
        {failed !== undefined && <span> · {failed}</span>}
        {startedAt !== undefined && endedAt !== undefined && (
          <span class="soft"> · {texts.step.seconds(endedAt - startedAt)}</span>
        )}
      </summary>
      <h3>{texts.step.input}</h3>
      <pre tabIndex={0}>{pretty(step.input)}</pre>
      {result !== undefined && (
        <>
          <h3>{texts.step.result}</h3>
          <pre tabIndex={0}>{pretty(result)}</pre>
        </>
      )}
    </details>
  );
}

function errorOf(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null || !('error' in result)) return undefined;
  const { error } = result as { readonly error: { readonly message?: string } };
  return error.message ?? texts.step.failed;
}

function pretty(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value, undefined, 2);
  try {
    return JSON.stringify(JSON.parse(value), undefined, 2);
  } catch {
    return value;
  }
}
