import type { ConverseRequest, JsonSchema, Reply, ToolResult, ToolSpec } from './protocol.ts';
import { describeResults } from './describe-results.ts';
import { summaryOf } from './summary-of.ts';

/** Words with the same meaning for the rules below. The first word of each row stands for all. */
const SYNONYMS: readonly (readonly string[])[] = [
  ['user', 'who', 'whoami', 'me', 'profile', 'account', 'login', 'username', 'myself'],
  ['repo', 'repository', 'project', 'codebase'],
  ['issue', 'ticket', 'bug'],
  ['event', 'meeting', 'appointment'],
];
const CANONICAL = new Map(SYNONYMS.flatMap((row) => row.map((word) => [word, row[0] ?? word] as const)));
/** The verbs with which users ask for a tool, by the verb in the tool's name. */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  get: ['get', 'show', 'read'],
  list: ['list', 'show', 'find', 'get', 'read', 'what', 'which'],
  show: ['show'],
  read: ['read'],
  find: ['find', 'search'],
  search: ['search', 'find'],
  create: ['create', 'open', 'add', 'file', 'write', 'new', 'report'],
  add: ['add', 'create'],
  update: ['update', 'change', 'edit'],
  delete: ['delete', 'remove'],
};
/** After these verbs, "me" is an indirect object: "show me my repositories" does not ask for the user's profile. */
const INDIRECT_ME = /\b(show|give|tell|list|get|find|send|help|let)\s+me\b/g;

/**
 * A stand-in for a language model: keyword rules over the tool specifications it is sent. It calls every tool whose subject
 * the user names, takes numbers, choices and quoted text as arguments, answers small talk, asks a question when it is not sure,
 * and lists what was said where it is to summarise a conversation.
 */
export function ruleBasedModel(request: ConverseRequest): Reply {
  const last = request.messages.at(-1)?.content ?? [];
  const text = last
    .flatMap((block) => block.text ?? [])
    .join('\n')
    .trim();
  const results = last.flatMap((block) => block.toolResult ?? []);
  const summary = summaryOf(request, text);
  if (summary !== undefined) return say(summary);
  if (text === '' && results.length > 0) return say(describeResults(request, results));
  const tools = (request.toolConfig?.tools ?? []).flatMap((entry) => entry.toolSpec ?? []);
  const called = callTools(text, tools);
  if (
    called === undefined &&
    last.some(({ image, document }) => image !== undefined || document !== undefined)
  )
    return say('There is a picture or a document with your message. I follow rules, and cannot look at it.');
  return called ?? say(declinedPrefix(results) + (smallTalk(text, tools) ?? askBack(tools)));
}

function callTools(text: string, tools: readonly ToolSpec[]): Reply | undefined {
  const named = namedTools(text, tools);
  if (named.length === 0) return undefined;
  const calls = named.map((tool) => ({ name: tool.name, ...argumentsFor(tool, text) }));
  const missing = calls.flatMap((call) => call.missing.map((name) => `${name} (for ${call.name})`));
  if (missing.length > 0)
    return say(`I can do that, but I need to know more: ${missing.join(', ')}. Please put texts in quotes.`);
  return { text: 'Let me look that up.', toolUses: calls.map(({ name, input }) => ({ name, input })) };
}

/**
 * The tools whose subject the user names. Among tools with the same subject, only those whose verb the user names as well.
 */
function namedTools(text: string, tools: readonly ToolSpec[]): readonly ToolSpec[] {
  const words = wordsOf(text);
  const bySubject = Map.groupBy(
    tools.filter((tool) => words.has(subjectOf(tool))),
    subjectOf,
  );
  const named = [...bySubject.values()].flatMap((ofSubject) => {
    const withVerb = ofSubject.filter((tool) => verbsOf(tool).some((verb) => words.has(verb)));
    return withVerb.length > 0 ? withVerb : ofSubject.slice(0, 1);
  });
  // "An issue in this repository" names a repository as an argument, not as a subject.
  const given = new Set(named.flatMap((tool) => Object.keys(tool.inputSchema.json?.properties ?? {})));
  return named.filter((tool) => !given.has(subjectOf(tool)));
}

function verbsOf(tool: ToolSpec): readonly string[] {
  const [verb = ''] = tool.name.toLowerCase().split(/[_-]/);
  return VERBS[verb] ?? [];
}

function subjectOf(tool: ToolSpec): string {
  const nouns = tool.name
    .toLowerCase()
    .split(/[_-]/)
    .filter((word) => !(word in VERBS));
  return canonical(nouns.at(-1) ?? tool.name);
}

function wordsOf(text: string): ReadonlySet<string> {
  const plain = text.toLowerCase().replace(INDIRECT_ME, '$1');
  return new Set((plain.match(/[a-z]+/g) ?? []).map(canonical));
}

function canonical(word: string): string {
  const singular = word.endsWith('ies') ? `${word.slice(0, -3)}y` : word.replace(/(?<=[a-z]{3})s$/, '');
  return CANONICAL.get(word) ?? CANONICAL.get(singular) ?? singular;
}

function argumentsFor(tool: ToolSpec, text: string): { input: Record<string, unknown>; missing: string[] } {
  const schema = tool.inputSchema.json ?? {};
  const quoted = [...text.matchAll(/["“]([^"”]+)["”]/g)].map((match) => match[1] ?? '');
  const numbers = [...text.matchAll(/\b\d{1,6}\b/g)].map((match) => Number(match[0]));
  const input: Record<string, unknown> = { ...repositoryIn(schema, text) };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (name in input) continue;
    const value = valueFor(property, text, quoted, numbers);
    if (value !== undefined) input[name] = value;
  }
  return { input, missing: (schema.required ?? []).filter((name) => !(name in input)) };
}

/** For a tool with both arguments, "alice/garden" names an owner and a repository. */
function repositoryIn({ properties = {} }: JsonSchema, text: string): Readonly<Record<string, string>> {
  const [, owner, repo] = /(?<![\w/.:-])([\w-]+)\/([\w.-]*\w)/.exec(text) ?? [];
  const takesBoth = 'owner' in properties && 'repo' in properties;
  return takesBoth && owner !== undefined && repo !== undefined ? { owner, repo } : {};
}

function valueFor(property: JsonSchema, text: string, quoted: string[], numbers: number[]): unknown {
  if (property.enum !== undefined) {
    return property.enum.find(
      (choice) => typeof choice === 'string' && text.toLowerCase().includes(choice.toLowerCase()),
    );
  }
  if (property.type === 'integer' || property.type === 'number') {
    const number = numbers.shift();
    if (number === undefined) return undefined;
    return Math.max(property.minimum ?? -Infinity, Math.min(property.maximum ?? Infinity, number));
  }
  return property.type === 'string' ? quoted.shift() : undefined;
}

function smallTalk(text: string, tools: readonly ToolSpec[]): string | undefined {
  if (/\b(thanks|thank you|cheers)\b/i.test(text)) return 'You are welcome.';
  if (/\b(bye|goodbye|see you)\b/i.test(text)) return 'Goodbye. Come back whenever you like.';
  if (/\b(how are you|how is it going)\b/i.test(text))
    return 'I am doing well, thank you. What can I do for you?';
  if (/\b(hi|hello|hey|good (morning|afternoon|evening))\b/i.test(text)) return `Hello! ${askBack(tools)}`;
  if (/\b(what can you|help|who are you|what are you)\b/i.test(text)) return askBack(tools);
  return undefined;
}

function askBack(tools: readonly ToolSpec[]): string {
  if (tools.length === 0) return 'I have no tools here, so I can only chat. What is on your mind?';
  const abilities = tools.map(
    (tool) => `- ${(tool.description ?? tool.name).split(/(?<=\.)\s/)[0] ?? tool.name}`,
  );
  return `Here is what I can do for you:\n${abilities.join('\n')}\nWhich of these would you like?`;
}

function declinedPrefix(results: readonly ToolResult[]): string {
  return results.some((result) => result.status === 'error') ? 'All right, I have left that aside. ' : '';
}

function say(text: string): Reply {
  return { text, toolUses: [] };
}
