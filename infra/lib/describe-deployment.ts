import { z } from 'zod';
import { members } from './deployment.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  /** Descriptions that replace patterns which are hard to read. */
  readonly form?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The text of docs/deployment-file.md: every member of a deployment file, from its schema. */
export function describeDeployment(): string {
  const schema = z.toJSONSchema(members, { io: 'input', unrepresentable: 'any' }) as Schema;
  const rows = rowsOf(schema, '');
  return `# The deployment file

A file in \`infra/deployments\` describes one deployment. \`npm run infra:describe\` writes this page from the schema in
\`infra/lib/deployment.ts\`. \`npm run infra:synth -- FILE\` says in sentences what is wrong with a file. The file names
secrets, and never contains them. Where a member has alternatives, the table names what distinguishes each of them.

| member | what it is | form | when absent |
|---|---|---|---|
${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}
`;
}

type Row = readonly [member: string, what: string, form: string, absent: string];

function rowsOf(schema: Schema, path: string): Row[] {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    return alternatives.flatMap((each) => rowsOf(each, `${path}${markOf(each, alternatives)}`));
  }
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const place = path === '' ? name : `${path}.${name}`;
    const isRequired = schema.required?.includes(name) === true;
    const own: Row = [`\`${place}\``, member.description ?? '', formOf(member), absentOf(member, isRequired)];
    const listed = member.items;
    if (listed !== undefined && isGroup(listed)) return [own, ...rowsOf(listed, `${place}[]`)];
    return isGroup(member) ? [own, ...rowsOf(member, place)] : [own];
  });
}

const isGroup = ({ properties, anyOf, oneOf }: Schema): boolean =>
  properties !== undefined ||
  [...(anyOf ?? []), ...(oneOf ?? [])].some((each) => each.properties !== undefined);

/** The mark of an alternative: the kind that it names, or the first member that only it has. */
function markOf({ properties = {} }: Schema, alternatives: readonly Schema[]): string {
  const kind = properties.kind?.const;
  if (kind !== undefined) return ` (${JSON.stringify(kind).slice(1, -1)})`;
  const isOwn = (name: string): boolean =>
    alternatives.filter((each) => each.properties?.[name] !== undefined).length === 1;
  return ` (with ${Object.keys(properties).find(isOwn) ?? ''})`;
}

function formOf(schema: Schema): string {
  const { type, form, enum: values, const: only, items, format, minimum, maximum } = schema;
  if (form !== undefined) return form;
  if (only !== undefined) return code(only);
  if (values !== undefined) return values.map(code).join(', ');
  const literals = schema.anyOf?.map((each) => each.const).filter((each) => each !== undefined) ?? [];
  if (literals.length > 0) return literals.map(code).join(', ');
  if (isGroup(schema)) return 'members, below';
  if (type === 'array') return `list of: ${formOf(items ?? {})}`;
  if (type === 'integer' || type === 'number') {
    const top = maximum === undefined || maximum > 1e9 ? '' : ` to ${String(maximum)}`;
    return `whole number, from ${String(minimum ?? 0)}${top}`;
  }
  if (type === 'boolean') return '`true`, `false`';
  if (type === 'object') return 'names and texts';
  return format === 'uri' ? 'https URL' : format === undefined ? 'text' : `text (${format})`;
}

function absentOf({ default: fallback, properties = {} }: Schema, isRequired: boolean): string {
  if (isRequired) return '**needed**';
  if (fallback === undefined) return 'nothing';
  if (typeof fallback !== 'object' || Array.isArray(fallback)) return code(fallback);
  return Object.keys(properties).length === 0 ? 'none' : 'its members as below';
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
