import type { ConverseRequest, Model, Reply } from './protocol.ts';

/** What the model answers to a text. */
export interface WrittenReply {
  /** A part of the user's text, in any case. */
  readonly when: string;
  readonly say: string;
  readonly call: readonly { readonly name: string; readonly input: Readonly<Record<string, unknown>> }[];
}

/** A model that first looks for a written reply, and asks another one where none fits. */
export function withReplies(replies: readonly WrittenReply[], otherwise: Model): Model {
  return (request) => written(replies, request) ?? otherwise(request);
}

/** Only a message of the user is looked at, so that the results of a tool are described by the rules. */
function written(replies: readonly WrittenReply[], request: ConverseRequest): Reply | undefined {
  const last = request.messages.at(-1)?.content ?? [];
  if (last.some(({ toolResult }) => toolResult !== undefined)) return undefined;
  const text = last
    .map((block) => block.text ?? '')
    .join('\n')
    .toLowerCase();
  const found = replies.find(({ when }) => text.includes(when.toLowerCase()));
  return found === undefined ? undefined : { text: found.say, toolUses: found.call };
}
