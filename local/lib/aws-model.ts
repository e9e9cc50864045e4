import { readFileSync } from 'node:fs';

/** A shape of AWS's own model, or the name of one that several operations share. */
export type ShapeOrName = string | Shape;

interface Bounds {
  /** The least length; of a number, the least value. */
  readonly min?: number;
  readonly max?: number;
}

type NumberShape = Bounds & { readonly type: 'integer' | 'long' | 'float' | 'double' | 'timestamp' };

export type Shape =
  | (Bounds & {
      readonly type: 'string';
      readonly pattern?: string;
      readonly enum?: readonly string[];
      readonly location?: 'uri';
    })
  | (Bounds & { readonly type: 'blob' })
  | NumberShape
  | { readonly type: 'boolean' }
  | (Bounds & { readonly type: 'list'; readonly member: ShapeOrName })
  | (Bounds & { readonly type: 'map'; readonly key: ShapeOrName; readonly value: ShapeOrName })
  | {
      readonly type: 'structure';
      readonly required?: readonly string[];
      /** Exactly one member is set. */
      readonly union?: true;
      readonly members: Readonly<Record<string, ShapeOrName>>;
    };

export interface OperationModel {
  readonly method: string;
  /** With `{member}` where a member is a part of the path. */
  readonly path: string;
  /** The status of the answer. */
  readonly status: number;
  /** The names of its error classes. */
  readonly errors: readonly string[];
  readonly input: ShapeOrName;
  readonly output: ShapeOrName;
}

interface ServiceFacts {
  readonly service: string;
  readonly apiVersion: string;
  readonly source: string;
  /** Each error class with its status. */
  readonly errors: Readonly<Record<string, number>>;
  readonly operations: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** A member that does not satisfy its constraint. */
export interface Violation {
  /** As AWS names it: `messages.1.member.role`. */
  readonly member: string;
  /** What it must satisfy. */
  readonly message: string;
}

type Values = Readonly<Record<string, unknown>>;
type OfType<T extends Shape['type']> = Extract<Shape, { readonly type: T }>;

/** A service of AWS as its own model describes it: operations, members, constraints, error classes. */
export class AwsModel {
  readonly facts: ServiceFacts;

  /** @param name the name of a file in `local/aws-models` */
  constructor(name: 'bedrock-agentcore' | 'bedrock-agentcore-control' | 'bedrock-runtime') {
    const file = new URL(`../aws-models/${name}.json`, import.meta.url);
    this.facts = JSON.parse(readFileSync(file, 'utf8')) as ServiceFacts;
  }

  shape(shape: ShapeOrName): Shape {
    const found = typeof shape === 'string' ? this.facts.shapes[shape] : shape;
    if (found === undefined)
      throw new TypeError(`${this.facts.service} has no shape ${JSON.stringify(shape)}`);
    return found;
  }

  /** The operation of a request, with the members that its path holds. */
  find(
    method: string,
    path: string,
  ): { readonly name: string; readonly model: OperationModel; readonly members: Values } | undefined {
    for (const [name, model] of Object.entries(this.facts.operations)) {
      const pattern = model.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
      const match = model.method === method ? new RegExp(`^${pattern}$`).exec(path) : null;
      if (match === null) continue;
      const members = Object.entries(match.groups ?? {}).map(([key, value]) => [key, decoded(value)]);
      return { name, model, members: Object.fromEntries(members) as Values };
    }
    return undefined;
  }

  /** An answer with an error class of the service, for a fault switch. */
  errorAnswer(
    name: string,
    message: string,
  ): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } {
    const status = this.facts.errors[name];
    if (status === undefined) throw new TypeError(`${this.facts.service} has no ${name}`);
    return { status, headers: { 'x-amzn-errortype': name }, body: JSON.stringify({ message }) };
  }

  /** The first member that does not satisfy its constraint, if there is one. Unknown members are ignored, as AWS does. */
  violation(shapeOrName: ShapeOrName, value: unknown, member = ''): Violation | undefined {
    const shape = this.shape(shapeOrName);
    switch (shape.type) {
      case 'structure':
        return this.#structure(shape, value, member);
      case 'list':
        return this.#list(shape, value, member);
      case 'map':
        return this.#map(shape, value, member);
      default:
        return scalarViolation(shape, value, member);
    }
  }

  #structure(shape: OfType<'structure'>, value: unknown, member: string): Violation | undefined {
    const names = Object.keys(shape.members);
    // A document of any form.
    if (names.length === 0) return undefined;
    if (!isObject(value)) return { member, message: 'Member must be a structure' };
    const given = names.filter((name) => isSet(value[name]));
    const missing = shape.required?.find((name) => !given.includes(name));
    if (missing !== undefined) return { member: under(member, missing), message: 'Member must not be null' };
    if (shape.union === true && given.length !== 1)
      return { member, message: `Member must have exactly one of: [${names.join(', ')}]` };
    return first(given, (name) =>
      this.violation(shape.members[name] ?? '', value[name], under(member, name)),
    );
  }

  #list(shape: OfType<'list'>, value: unknown, member: string): Violation | undefined {
    if (!Array.isArray(value)) return { member, message: 'Member must be a list' };
    return (
      lengthViolation(shape, value.length, member) ??
      first([...value.entries()], ([index, each]) =>
        this.violation(shape.member, each, `${member}.${String(index + 1)}.member`),
      )
    );
  }

  #map(shape: OfType<'map'>, value: unknown, member: string): Violation | undefined {
    if (!isObject(value)) return { member, message: 'Member must be a map' };
    const entries = Object.entries(value);
    return (
      lengthViolation(shape, entries.length, member) ??
      first(
        entries,
        ([key, each]) =>
          this.violation(shape.key, key, `${member}.key`) ??
          this.violation(shape.value, each, `${member}.${key}.value`),
      )
    );
  }
}

/** The sentence of a validation error. */
export function violationText({ member, message }: Violation): string {
  return `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${message}`;
}

type Scalar = Exclude<Shape, OfType<'structure'> | OfType<'list'> | OfType<'map'>>;

function scalarViolation(shape: Scalar, value: unknown, member: string): Violation | undefined {
  switch (shape.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : { member, message: 'Member must be a boolean' };
    case 'string':
      return typeof value === 'string'
        ? textViolation(shape, value, member)
        : { member, message: 'Member must be a string' };
    case 'blob':
      return typeof value === 'string'
        ? lengthViolation(shape, Buffer.from(value, 'base64').length, member)
        : { member, message: 'Member must be base64' };
    default:
      return numberViolation(shape, value, member);
  }
}

function textViolation(shape: OfType<'string'>, value: string, member: string): Violation | undefined {
  if (shape.enum?.includes(value) === false)
    return { member, message: `Member must satisfy enum value set: [${shape.enum.join(', ')}]` };
  // A length counts characters, not UTF-16 units.
  const length = lengthViolation(shape, Array.from(value).length, member);
  if (length !== undefined || shape.pattern === undefined || matches(shape.pattern, value)) return length;
  return { member, message: `Member must satisfy regular expression pattern: ${shape.pattern}` };
}

/** Whether a whole text has the form of a pattern. */
export function matches(pattern: string, value: string): boolean {
  return new RegExp(`^(?:${pattern})$`).test(value);
}

function numberViolation(shape: NumberShape, value: unknown, member: string): Violation | undefined {
  const isWhole = shape.type === 'integer' || shape.type === 'long';
  if (typeof value !== 'number' || (isWhole && !Number.isInteger(value)))
    return { member, message: `Member must be ${isWhole ? 'an integer' : 'a number'}` };
  const { min = -Infinity, max = Infinity } = shape;
  if (value < min)
    return { member, message: `Member must have value greater than or equal to ${String(min)}` };
  if (value > max) return { member, message: `Member must have value less than or equal to ${String(max)}` };
  return undefined;
}

function lengthViolation(
  { min = 0, max = Infinity }: Bounds,
  length: number,
  member: string,
): Violation | undefined {
  if (length < min)
    return { member, message: `Member must have length greater than or equal to ${String(min)}` };
  if (length > max)
    return { member, message: `Member must have length less than or equal to ${String(max)}` };
  return undefined;
}

function first<T>(values: readonly T[], of: (value: T) => Violation | undefined): Violation | undefined {
  for (const value of values) {
    const found = of(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function under(member: string, name: string): string {
  return member === '' ? name : `${member}.${name}`;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
