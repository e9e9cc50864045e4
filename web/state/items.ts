import type { AGUIEvent } from '@ag-ui/core';
import type { MessageView, TurnView } from '../net/api.ts';
import { texts } from '../texts.ts';

/** One thing that a conversation shows, from top to bottom. */
export type Item =
  | { readonly kind: 'user'; readonly id: string; readonly text: string }
  | StreamedItem<'answer'>
  | StreamedItem<'reasoning'>
  | ToolStep
  | { readonly kind: 'note'; readonly id: string; readonly text: string }
  | {
      readonly kind: 'error';
      readonly id: string;
      readonly code: string;
      readonly text: string;
      readonly requestId?: string | undefined;
    };

/** A text that comes piece by piece. */
interface StreamedItem<Kind extends string> {
  readonly kind: Kind;
  readonly id: string;
  readonly text: string;
  readonly isOpen: boolean;
}

/** A call of a tool: what it was given, and what it answered. */
export interface ToolStep {
  readonly kind: 'step';
  /** The id of the call. */
  readonly id: string;
  readonly name: string;
  /** JSON, which is not complete while it streams. */
  readonly input: string;
  readonly result?: unknown;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** The items of turns that are stored. */
export function itemsOf(turns: readonly TurnView[]): readonly Item[] {
  return turns.flatMap((turn) => {
    const items = turn.messages.reduce<readonly Item[]>(
      (all, message, index) => withMessage(all, message, `${turn.runId}-stored-${String(index)}`),
      [],
    );
    const note = texts.outcomes[turn.outcome];
    return note === undefined
      ? items
      : [...items, { kind: 'note', id: `${turn.runId}-note`, text: note } as const];
  });
}

function withMessage(items: readonly Item[], message: MessageView, id: string): readonly Item[] {
  const { role, text, toolCalls = [], toolCallId, result } = message;
  if (role === 'tool')
    return items.map((item) => (item.kind === 'step' && item.id === toolCallId ? { ...item, result } : item));
  const said: readonly Item[] =
    text === undefined
      ? []
      : [role === 'user' ? { kind: 'user', id, text } : { kind: 'answer', id, text, isOpen: false }];
  const steps = toolCalls.map((call): Item => ({
    kind: 'step',
    id: call.id,
    name: call.name,
    input: JSON.stringify(call.input),
  }));
  return [...items, ...said, ...steps];
}

/** The items after one more event of a run. */
export function withEvent(items: readonly Item[], event: AGUIEvent, now = Date.now()): readonly Item[] {
  switch (event.type) {
    case 'TEXT_MESSAGE_START':
      return [...items, { kind: 'answer', id: event.messageId, text: '', isOpen: true }];
    case 'REASONING_MESSAGE_START':
      return [...items, { kind: 'reasoning', id: event.messageId, text: '', isOpen: true }];
    case 'TEXT_MESSAGE_CONTENT':
    case 'REASONING_MESSAGE_CONTENT':
      return changed(items, event.messageId, (item) => ({ ...item, text: item.text + event.delta }));
    case 'TEXT_MESSAGE_END':
    case 'REASONING_MESSAGE_END':
      return changed(items, event.messageId, (item) => ({ ...item, isOpen: false }));
    case 'TOOL_CALL_START': {
      const { toolCallId: id, toolCallName: name } = event;
      return [...items, { kind: 'step', id, name, input: '', startedAt: now }];
    }
    case 'TOOL_CALL_ARGS':
      return changedStep(withStep(items, event.toolCallId), event.toolCallId, (step) => ({
        ...step,
        input: step.input + event.delta,
      }));
    case 'TOOL_CALL_RESULT':
      return changedStep(items, event.toolCallId, (step) => ({
        ...step,
        result: parsed(event.content),
        endedAt: now,
      }));
    case 'CUSTOM':
      return event.name === 'earlier_summarised'
        ? [...items, { kind: 'note', id: `note-${String(items.length)}`, text: texts.summarised }]
        : items;
    default:
      return items;
  }
}

type Streamed = Extract<Item, { kind: 'answer' | 'reasoning' }>;

function changed(items: readonly Item[], id: string, change: (item: Streamed) => Item): readonly Item[] {
  return items.map((item) =>
    (item.kind === 'answer' || item.kind === 'reasoning') && item.id === id ? change(item) : item,
  );
}

function changedStep(
  items: readonly Item[],
  id: string,
  change: (step: ToolStep) => ToolStep,
): readonly Item[] {
  return items.map((item) => (item.kind === 'step' && item.id === id ? change(item) : item));
}

/** After a reload, the call that a result answers is not there yet. */
function withStep(items: readonly Item[], id: string): readonly Item[] {
  const isThere = items.some((item) => item.kind === 'step' && item.id === id);
  return isThere ? items : [...items, { kind: 'step', id, name: '', input: '' }];
}

function parsed(content: unknown): unknown {
  if (typeof content !== 'string') return content;
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}
