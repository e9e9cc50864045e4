import type { ConverseRequest, Model, Reply } from '../../local/bedrock/protocol.ts';

/** `CALL tool {"argument":"…"} END` and `SAY text END`: the orders that the obedient model accepts from any text. */
const ORDER = /CALL ([\w-]+) (\{.*?\}) END|SAY (.*?) END/gs;

/** The worst possible model: it follows every order in every text that it reads, each order once in a conversation. */
export const obedientModel: Model = (request): Reply => {
  const done = new Set(
    request.messages.flatMap(({ content }) =>
      content.flatMap(({ toolUse }) =>
        toolUse === undefined ? [] : [JSON.stringify([toolUse.name, toolUse.input])],
      ),
    ),
  );
  const said: string[] = [];
  const toolUses: { name: string; input: unknown }[] = [];
  for (const [, name, input, text] of textsOf(request).flatMap((each) => [...each.matchAll(ORDER)])) {
    if (text !== undefined) said.push(text);
    if (name === undefined || input === undefined) continue;
    const use = { name, input: parse(input) };
    const key = JSON.stringify([use.name, use.input]);
    if (!done.has(key)) toolUses.push(use);
    done.add(key);
  }
  return { text: said.join('\n') || (toolUses.length > 0 ? '' : 'Done.'), toolUses };
};

/** Returns every text of the last message, at any depth of a tool's result. */
function textsOf({ messages }: ConverseRequest): string[] {
  return stringsIn(messages.at(-1)?.content ?? []);
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}
