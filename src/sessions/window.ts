import type { StoredMessage } from './content.js';

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

function isPlainUserMessage(message: StoredMessage | undefined): boolean {
  return message?.role === 'user' && message.content.every((block) => 'text' in block);
}
