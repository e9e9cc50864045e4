import type { ConverseRequest, ToolResult } from './protocol.ts';

type Json = Readonly<Record<string, unknown>>;

/** Turns tool results into sentences and lists. It knows only the names of the tools. */
export function describeResults(request: ConverseRequest, results: readonly ToolResult[]): string {
  return results.map((result) => describe(toolName(request, result.toolUseId), result)).join('\n\n');
}

function toolName(request: ConverseRequest, toolUseId: string): string {
  const uses = request.messages.flatMap((message) => message.content.flatMap((block) => block.toolUse ?? []));
  return uses.find((use) => use.toolUseId === toolUseId)?.name.replaceAll('_', ' ') ?? 'the tool';
}

function describe(name: string, result: ToolResult): string {
  const value = valueOf(result);
  const error = isObject(value) && isObject(value.error) ? value.error : undefined;
  if (result.status === 'error' || error !== undefined) {
    const why = [error?.message, value].find((each) => typeof each === 'string') ?? 'it failed';
    return `I could not finish "${name}": ${why}`;
  }
  return render(isObject(value) && 'data' in value ? value.data : value);
}

function valueOf(result: ToolResult): unknown {
  const [first] = result.content;
  if (first?.json !== undefined) return first.json;
  try {
    return JSON.parse(first?.text ?? '""');
  } catch {
    return first?.text;
  }
}

function render(value: unknown): string {
  if (Array.isArray(value)) return renderList(value);
  if (!isObject(value)) return String(value);
  const list = Object.values(value).find((each) => Array.isArray(each));
  if (list !== undefined && Object.keys(value).length <= 2) return renderList(list as unknown[]);
  return `Here is what I found: ${fieldsOf(value).join(', ')}.`;
}

function renderList(items: readonly unknown[]): string {
  if (items.length === 0) return 'I found nothing there.';
  const lines = items.map((item) => `- ${isObject(item) ? titleOf(item) : String(item)}`);
  return `I found ${String(items.length)}:\n${lines.join('\n')}`;
}

function titleOf(item: Json): string {
  const [title] = textsOf(item, ['fullName', 'full_name', 'name', 'title', 'login']);
  const [detail] = textsOf(item, ['description', 'summary']);
  if (title === undefined) return fieldsOf(item).join(', ');
  return detail === undefined ? title : `${title}: ${detail}`;
}

function textsOf(item: Json, names: readonly string[]): string[] {
  return names
    .map((name) => item[name])
    .filter((value): value is string => typeof value === 'string' && value !== '');
}

function fieldsOf(item: Json): string[] {
  return Object.entries(item)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value) && value !== '')
    .map(([name, value]) => `${name} ${String(value)}`);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
