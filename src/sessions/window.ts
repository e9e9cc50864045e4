import type { StoredMessage } from './content.js';
import type { WorkingSet } from './conversation.js';

const MAXIMUM_MESSAGES = 60;
const MAXIMUM_BYTES = 200_000;

/**
 * The end of a conversation that a model is still shown: at most 60 messages and 200 kB, or the last exchange. It begins
 * at a message of the user's own words, so that no tool result stands without its call.
 */
export function windowOf(messages: readonly StoredMessage[]): StoredMessage[] {
  let bytes = 0;
  // The last exchange stays, however large it is: a paused run needs what it answers.
  let start = Math.max(0, messages.findLastIndex(isPlainUserMessage));
  for (
    let index = messages.length - 1;
    index >= 0 && messages.length - index <= MAXIMUM_MESSAGES;
    index -= 1
  ) {
    bytes += Buffer.byteLength(JSON.stringify(messages[index]));
    if (bytes > MAXIMUM_BYTES) break;
    if (isPlainUserMessage(messages[index])) start = index;
  }
  return messages.slice(start);
}

/** The messages that the model is shown. */
export function shownMessages({ messages, recent }: WorkingSet): StoredMessage[] {
  return windowOf([...messages, ...messagesOf(recent)]);
}

/** A working set without the messages that the model is not shown any more. */
export function trimmed(set: WorkingSet): WorkingSet {
  const shown = shownMessages(set).length - messagesOf(set.recent).length;
  return { ...set, messages: shown > 0 ? set.messages.slice(-shown) : [] };
}

function messagesOf(turns: WorkingSet['recent']): readonly StoredMessage[] {
  return turns.flatMap(({ messages }) => messages);
}

function isPlainUserMessage(message: StoredMessage | undefined): boolean {
  return message?.role === 'user' && message.content.every((block) => 'text' in block);
}
