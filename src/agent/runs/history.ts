import {
  toolUseIdsOf,
  type ContentBlock,
  type StoredMessage,
  type ToolResult,
} from '../../sessions/index.js';

/**
 * Makes a conversation that the model accepts out of one that may have been cut off anywhere: roles alternate, every
 * tool use has its result in the next message, no result stands without its use, and the new input comes last.
 */
export function prepareHistory(
  stored: readonly StoredMessage[],
  input: readonly ContentBlock[],
): readonly StoredMessage[] {
  const merged = mergeNeighbours([...stored, { role: 'user', content: [...input] }]);
  return mergeNeighbours(
    merged.flatMap((message, index) => completed(message, merged[index - 1], merged[index + 1])),
  );
}

/**
 * The results that a user message must bring for the assistant message before it, those that are missing as errors.
 * @param why says of a call why it has no result
 */
export function resultsFor(
  assistant: StoredMessage,
  known: readonly ToolResult[],
  why: (toolCallId: string) => string,
): readonly ContentBlock[] {
  const byId = new Map(known.map((result) => [result.toolUseId, result]));
  return toolUseIdsOf(assistant).map((id) => ({ toolResult: byId.get(id) ?? errorResult(id, why(id)) }));
}

const NOT_FINISHED = (): string => 'This call was not finished.';

function completed(
  message: StoredMessage,
  previous: StoredMessage | undefined,
  next: StoredMessage | undefined,
): readonly StoredMessage[] {
  if (message.role === 'assistant') {
    const unanswered = toolUseIdsOf(message).length > 0 && next === undefined;
    return unanswered
      ? [message, { role: 'user', content: [...resultsFor(message, [], NOT_FINISHED)] }]
      : [message];
  }
  const asked = previous?.role === 'assistant' ? previous : undefined;
  const results = message.content.flatMap((block) => ('toolResult' in block ? [block.toolResult] : []));
  const others = message.content.filter((block) => !('toolResult' in block));
  const kept = asked === undefined ? [] : resultsFor(asked, results, NOT_FINISHED);
  const content = [...kept, ...others];
  return content.length === 0 ? [] : [{ role: 'user', content }];
}

/** One message for all that follow each other with the same role. */
export function mergeNeighbours(messages: readonly StoredMessage[]): StoredMessage[] {
  const merged: StoredMessage[] = [];
  for (const { role, content } of messages) {
    const last = merged.at(-1);
    if (content.length === 0) continue;
    if (last?.role === role) merged[merged.length - 1] = { role, content: [...last.content, ...content] };
    else if (last !== undefined || role === 'user') merged.push({ role, content });
  }
  return merged;
}

function errorResult(toolUseId: string, why: string): ToolResult {
  return { toolUseId, status: 'error', content: [{ text: why }] };
}
