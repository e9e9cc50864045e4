import type { AwsModel, Shape, ShapeOrName } from '../../local/lib/aws-model.ts';
import { entries, minimal, strangeText, textOf } from './samples.ts';

/** A request that is just inside or just outside one constraint of the model. */
export interface ConformanceCase {
  readonly operation: string;
  /** The member whose constraint it is, as a violation names it. */
  readonly member: string;
  readonly what: string;
  readonly isAllowed: boolean;
  /** The members of the request. */
  readonly input: Readonly<Record<string, unknown>>;
}

type Build = (value: unknown) => Readonly<Record<string, unknown>>;
type OfType<T extends Shape['type']> = Extract<Shape, { readonly type: T }>;
type Found = Omit<ConformanceCase, 'operation'>;

/** A request with more bytes than this tries how much a server reads, and no constraint. */
const LARGEST = 1_000_000;

/**
 * Every constraint of an operation's input, just inside and just outside; each enum value; each required member left out;
 * each union with none of its members and with two.
 * @param given values for members of the input, in place of the smallest that the model allows
 */
export function casesOf(
  model: AwsModel,
  operation: string,
  given: Readonly<Record<string, unknown>> = {},
): readonly ConformanceCase[] {
  const input = model.facts.operations[operation]?.input ?? '';
  const base = { ...(minimal(model, input) as object), ...given };
  const cases = new Cases(model);
  cases.structure(model.shape(input) as OfType<'structure'>, base, '', (value) => value as typeof base);
  return [{ member: '', what: 'the smallest request', isAllowed: true, input: base }, ...cases.found].map(
    (each) => ({ operation, ...each }),
  );
}

class Cases {
  readonly found: Found[] = [];
  readonly #model: AwsModel;

  constructor(model: AwsModel) {
    this.#model = model;
  }

  /** @param base the structure that each case changes one member of */
  structure(shape: OfType<'structure'>, base: object, member: string, build: Build): void {
    const names = Object.keys(shape.members);
    for (const name of shape.required ?? []) {
      const { [name]: _, ...rest } = base as Record<string, unknown>;
      this.#add(under(member, name), 'left out', false, build(rest));
    }
    if (shape.union === true) {
      this.#add(member, 'none of its members', false, build({}));
      if (names.length > 1) this.#add(member, 'two of its members', false, build(this.#firstTwo(shape)));
    }
    for (const name of names) {
      const around = (value: unknown): object =>
        shape.union === true ? { [name]: value } : { ...base, [name]: value };
      this.#any(shape.members[name] ?? '', under(member, name), (value) => build(around(value)));
    }
  }

  #any(given: ShapeOrName, member: string, build: Build): void {
    const shape = this.#model.shape(given);
    switch (shape.type) {
      case 'structure':
        if (Object.keys(shape.members).length === 0) return;
        this.structure(shape, minimal(this.#model, shape) as object, member, build);
        return;
      case 'list':
        this.#bounds(shape, member, build, (count) =>
          Array.from({ length: count }, () => minimal(this.#model, shape.member)),
        );
        this.#any(shape.member, `${member}.1.member`, (value) => build([value]));
        return;
      case 'map':
        this.#bounds(shape, member, build, (count) => entries(this.#model, shape, count));
        this.#map(shape, member, build);
        return;
      case 'string':
        this.#text(shape, member, build);
        return;
      case 'blob':
        this.#bounds(shape, member, build, (size) => new Uint8Array(size));
        return;
      case 'boolean':
        for (const value of [true, false]) this.#add(member, String(value), true, build(value));
        return;
      default:
        this.#bounds(shape, member, build, (value) => value);
    }
  }

  #map(shape: OfType<'map'>, member: string, build: Build): void {
    const [key = ''] = Object.keys(entries(this.#model, shape, 1));
    const value = minimal(this.#model, shape.value);
    this.#any(shape.key, `${member}.key`, (name) => build({ [String(name)]: value }));
    this.#any(shape.value, `${member}.${key}.value`, (each) => build({ [key]: each }));
  }

  #text(shape: OfType<'string'>, member: string, build: Build): void {
    for (const value of shape.enum ?? []) this.#add(member, `"${value}"`, true, build(value));
    if (shape.enum !== undefined) this.#add(member, 'a value that is not listed', false, build('not-listed'));
    const strange = strangeText(shape);
    if (strange !== undefined) this.#add(member, 'another form', false, build(strange));
    if (shape.enum === undefined) this.#bounds(shape, member, build, (length) => textOf(shape, length));
  }

  /** Just inside and just outside of the least and of the greatest. A pattern can make one of them impossible. */
  #bounds(
    { min, max }: { readonly min?: number; readonly max?: number },
    member: string,
    build: Build,
    make: (size: number) => unknown,
  ): void {
    const sizes = [
      ...(min === undefined ? [] : [[min, true] as const, [min - 1, false] as const]),
      ...(max === undefined || max > LARGEST ? [] : [[max, true] as const, [max + 1, false] as const]),
    ];
    for (const [size, isAllowed] of sizes) {
      const isLength = typeof make(0) !== 'number';
      const value = isLength && size < 0 ? undefined : make(size);
      if (value !== undefined)
        this.#add(member, `${isLength ? 'length' : 'value'} ${String(size)}`, isAllowed, build(value));
    }
  }

  #firstTwo(shape: OfType<'structure'>): object {
    const two = Object.entries(shape.members).slice(0, 2);
    return Object.fromEntries(two.map(([name, each]) => [name, minimal(this.#model, each)]));
  }

  #add(member: string, what: string, isAllowed: boolean, input: Found['input']): void {
    this.found.push({ member, what, isAllowed, input });
  }
}

function under(member: string, name: string): string {
  return member === '' ? name : `${member}.${name}`;
}
