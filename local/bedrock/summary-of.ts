import type { ConverseRequest } from './protocol.ts';

const MAXIMUM_LENGTH = 3_000;
const QUOTED_LENGTH = 80;

/** The messages of a conversation that is to be summarised. */
interface Told {
  readonly summarySoFar?: string;
  readonly messages: readonly {
    readonly role: string;
    readonly content: readonly { readonly text?: string; readonly toolCall?: string }[];
  }[];
}

/** What the user has said and which tools were called; undefined where no summary is asked for. */
export function summaryOf({ system = [] }: ConverseRequest, text: string): string | undefined {
  if (!system.some((block) => /\bsummary of the beginning of a conversation\b/.test(block.text ?? '')))
    return undefined;
  const { summarySoFar = 'The conversation so far.', messages } = JSON.parse(text) as Told;
  const sentences = messages.flatMap(({ role, content }) =>
    content.flatMap((block) => {
      if (block.toolCall !== undefined) return [`${block.toolCall} was called.`];
      return role === 'user' && block.text !== undefined ? [`The user said: "${quoted(block.text)}"`] : [];
    }),
  );
  return [summarySoFar, ...sentences].join('\n').slice(-MAXIMUM_LENGTH);
}

function quoted(text: string): string {
  return text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)} …` : text;
}
