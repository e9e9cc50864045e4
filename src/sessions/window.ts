import { isDeepStrictEqual } from 'node:util';
import type { StoredMessage } from './content.js';
import type { WorkingSet } from './conversation.js';

interface Size {
  readonly messages: number;
  readonly bytes: number;
}

/** More than this is not shown to a model, summarised or not. */
const MAXIMUM: Size = { messages: 120, bytes: 400_000 };
/** Where more than this is shown, its beginning is to be summarised. */
const SUMMARISED: Size = { messages: 60, bytes: 200_000 };
/** A summary leaves this much: far less, so that the next summary is needed only after several turns. */
const LEFT: Size = { messages: 30, bytes: 100_000 };

/** Messages never change, so that each is measured once. */
const measured = new WeakMap<StoredMessage, number>();

/**
 * The end of a conversation that fits into a size, or its last exchange. It begins at a message of the user's own words, so
 * that no tool result stands without its call.
 */
export function windowOf(
  messages: readonly StoredMessage[],
  { messages: most, bytes }: Size,
): StoredMessage[] {
  let sum = 0;
  // The last exchange stays, however large it is: a paused run needs what it answers.
  let start = Math.max(0, messages.findLastIndex(isPlainUserMessage));
  for (let index = messages.length - 1; index >= 0 && messages.length - index <= most; index -= 1) {
    sum += bytesOf(messages[index]);
    if (sum > bytes) break;
    if (isPlainUserMessage(messages[index])) start = index;
  }
  return messages.slice(start);
}

/** The messages that the model is shown, after a summary of the earlier ones. */
export function shownMessages(set: WorkingSet): StoredMessage[] {
  return windowOf(allMessages(set).slice(set.earlier?.ahead ?? 0), MAXIMUM);
}

/** A working set without the messages that the model is not shown any more. */
export function trimmed(set: WorkingSet): WorkingSet {
  const { messages, earlier } = set;
  const hidden = allMessages(set).length - shownMessages(set).length;
  const dropped = Math.min(hidden, messages.length);
  if (dropped === 0) return set;
  return {
    ...set,
    messages: messages.slice(dropped),
    ...(earlier !== undefined && { earlier: { ...earlier, ahead: Math.max(0, earlier.ahead - dropped) } }),
  };
}

/** The messages that are to be summarised, the earliest first; none while the model can be shown all of them. */
export function leavingMessages(set: WorkingSet): readonly StoredMessage[] {
  const shown = shownMessages(set);
  const bytes = shown.reduce((sum, message) => sum + bytesOf(message), 0);
  if (shown.length <= SUMMARISED.messages && bytes <= SUMMARISED.bytes) return [];
  return shown.slice(0, shown.length - windowOf(shown, LEFT).length);
}

/**
 * A working set whose first shown messages are summarised; undefined where they are other ones by now.
 * @param text of all that is not shown, so that it takes the place of the summary before
 */
export function summarised(
  set: WorkingSet,
  text: string,
  messages: readonly StoredMessage[],
): WorkingSet | undefined {
  const shown = shownMessages(set);
  if (!isDeepStrictEqual(shown.slice(0, messages.length), messages)) return undefined;
  const earlier = {
    text,
    messages: (set.earlier?.messages ?? 0) + messages.length,
    ahead: allMessages(set).length - shown.length + messages.length,
    since: set.turns + 1,
  };
  return trimmed({ ...set, earlier });
}

function allMessages({ messages, recent }: WorkingSet): readonly StoredMessage[] {
  return [...messages, ...recent.flatMap((turn) => turn.messages)];
}

function bytesOf(message: StoredMessage | undefined): number {
  if (message === undefined) return 0;
  const known = measured.get(message) ?? Buffer.byteLength(JSON.stringify(message));
  measured.set(message, known);
  return known;
}

function isPlainUserMessage(message: StoredMessage | undefined): boolean {
  return message?.role === 'user' && message.content.every((block) => 'text' in block);
}
