import type { Json, StoredMessage } from '../sessions/index.js';

type Block = StoredMessage['content'][number];

/** A conversation ready for the model: what came before, and the user message that it answers. */
export interface PreparedHistory {
  readonly messages: readonly StoredMessage[];
  readonly input: readonly Block[];
}

/**
 * Makes a conversation that the model accepts out of one that may have been cut off anywhere: roles alternate, every
 * tool use has its result in the next message, no result stands without its use, and the new input comes last.
 */
export function prepareHistory(stored: readonly StoredMessage[], input: readonly Block[]): PreparedHistory {
  const merged = mergeNeighbours([...stored, { role: 'user', content: input }]);
  const complete = mergeNeighbours(
    merged.flatMap((message, index) => completed(message, merged[index - 1], merged[index + 1])),
  );
  const last = complete.at(-1);
  return { messages: complete.slice(0, -1), input: last?.content ?? input };
}

/** The results that a user message must bring for the assistant message before it, those that are missing as errors. */
export function resultsFor(
  assistant: StoredMessage,
  known: ReadonlyMap<string, Block>,
  why: string,
): readonly Block[] {
  return toolUseIds(assistant).map((id) => known.get(id) ?? errorResult(id, why));
}

function completed(
  message: StoredMessage,
  previous: StoredMessage | undefined,
  next: StoredMessage | undefined,
): readonly StoredMessage[] {
  if (message.role === 'assistant') {
    const unanswered = toolUseIds(message).length > 0 && next === undefined;
    return unanswered
      ? [message, { role: 'user', content: resultsFor(message, new Map(), NOT_FINISHED) }]
      : [message];
  }
  const asked = previous?.role === 'assistant' ? previous : undefined;
  const results = new Map(
    message.content.flatMap((block) =>
      resultId(block) === undefined ? [] : [[resultId(block) ?? '', block] as const],
    ),
  );
  const others = message.content.filter((block) => !('toolResult' in block));
  const kept = asked === undefined ? [] : resultsFor(asked, results, NOT_FINISHED);
  const content = [...kept, ...others];
  return content.length === 0 ? [] : [{ role: 'user', content }];
}

const NOT_FINISHED = 'This call was not finished.';

function mergeNeighbours(messages: readonly StoredMessage[]): StoredMessage[] {
  const merged: StoredMessage[] = [];
  for (const { role, content } of messages) {
    const last = merged.at(-1);
    if (content.length === 0) continue;
    if (last?.role === role) merged[merged.length - 1] = { role, content: [...last.content, ...content] };
    else if (last !== undefined || role === 'user') merged.push({ role, content });
  }
  return merged;
}

function toolUseIds({ content }: StoredMessage): string[] {
  return content.flatMap((block) => memberOf(block.toolUse, 'toolUseId') ?? []);
}

function resultId(block: Block): string | undefined {
  return memberOf(block.toolResult, 'toolUseId');
}

function memberOf(value: Json | undefined, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const member = (value as Readonly<Record<string, Json>>)[name];
  return typeof member === 'string' ? member : undefined;
}

function errorResult(toolUseId: string, why: string): Block {
  return { toolResult: { toolUseId, status: 'error', content: [{ text: why }] } };
}
