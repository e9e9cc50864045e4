import { useSignal, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { textOf } from '../state/names.ts';
import { texts } from '../texts.ts';
import { CardFrame, Decide, Decline, type CardProps } from './card.tsx';

/** What the user has written in the place of the model's input, by the names of the inputs. */
type Edits = Readonly<Record<string, string>>;
type Input = Readonly<Record<string, unknown>>;

/** An edited input is shown again when it was refused, or could not be sent. By conversation and call. */
const written = new Map<string, Edits>();

/** Exactly what is to be sent. The user can change it, and allow more like it where the tool permits that. */
export function ApprovalCard(props: CardProps): JSX.Element {
  const { metadata, toolCallId } = props.interrupt;
  const key = `${props.chat.id} ${toolCallId}`;
  const { account, fault } = metadata;
  const input = (metadata.input ?? {}) as Input;
  const edits = useSignal<Edits | undefined>(written.get(key));
  const allowsMore = useSignal(false);
  const payload = {
    approved: true,
    ...(edits.value !== undefined &&
      hasChanged(input, edits.value) && { input: { ...input, ...typed(input, edits.value) } }),
    ...(allowsMore.value && { allow: 'conversation' }),
  };
  return (
    <CardFrame title={textOf(metadata.title)} {...props}>
      {typeof fault === 'string' && <p role="alert">{texts.approval.notTaken(fault)}</p>}
      <p>{typeof account === 'string' ? texts.approval.as(account) : texts.approval.title}</p>
      <dl class="sent">
        {Object.entries(input).map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll('_', ' ')}</dt>
            <dd>
              {edits.value?.[name] === undefined ? (
                shown(value)
              ) : (
                <Field {...{ name, edits }} writtenAs={key} value={edits.value[name] ?? ''} />
              )}
            </dd>
          </div>
        ))}
      </dl>
      <More allowable={metadata.allowable} edits={edits.value} allowsMore={allowsMore} />
      <div class="actions">
        <Decide {...props} answer={{ status: 'resolved', payload }}>
          {'input' in payload ? texts.approval.approveChanged : texts.approval.approve}
        </Decide>
        <button
          type="button"
          class="plain"
          onClick={() => {
            edits.value = edits.value === undefined ? editable(input) : undefined;
            written.delete(key);
          }}
        >
          {edits.value === undefined ? texts.approval.edit : texts.approval.discard}
        </button>
        <Decline {...props}>{texts.approval.decline}</Decline>
      </div>
    </CardFrame>
  );
}

interface FieldProps {
  readonly name: string;
  readonly value: string;
  readonly edits: Signal<Edits | undefined>;
  readonly writtenAs: string;
}

function Field({ name, value, edits, writtenAs }: FieldProps): JSX.Element {
  return (
    <textarea
      aria-label={name.replaceAll('_', ' ')}
      rows={value.split('\n').length}
      value={value}
      onInput={({ currentTarget }) => {
        edits.value = { ...edits.value, [name]: currentTarget.value };
        written.set(writtenAs, edits.value);
      }}
    />
  );
}

function More({
  allowable,
  edits = {},
  allowsMore,
}: {
  readonly allowable: unknown;
  readonly edits: Edits | undefined;
  readonly allowsMore: Signal<boolean>;
}): JSX.Element | null {
  if (typeof allowable !== 'object' || allowable === null) return null;
  // A rule is for what is sent.
  const within = Object.entries(allowable as Edits).map(([name, value]) => [name, edits[name] ?? value]);
  return (
    <label class="more">
      <input
        type="checkbox"
        checked={allowsMore.value}
        onChange={({ currentTarget }) => {
          allowsMore.value = currentTarget.checked;
        }}
      />
      {texts.approval.allow(texts.within(Object.fromEntries(within) as Edits))}
    </label>
  );
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Texts and numbers can be changed here; what has a structure of its own cannot. */
function editable(input: Input): Edits {
  const fields = Object.entries(input).filter(
    ([, value]) => typeof value === 'string' || typeof value === 'number',
  );
  return Object.fromEntries(fields.map(([name, value]) => [name, String(value)]));
}

function hasChanged(input: Input, edits: Edits): boolean {
  return Object.entries(edits).some(([name, value]) => String(input[name]) !== value);
}

function typed(input: Input, edits: Edits): Input {
  return Object.fromEntries(
    Object.entries(edits).map(([name, value]) => [
      name,
      typeof input[name] === 'number' ? numberOf(value) : value,
    ]),
  );
}

/** A text that is no number stays one, so that it is refused. */
function numberOf(text: string): number | string {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}
