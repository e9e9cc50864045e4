import { validation } from './errors.ts';

/** Reads the members of a request body with the lengths and patterns of the service's model. */
export class Members {
  readonly #body: Readonly<Record<string, unknown>>;

  constructor(raw: string) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(raw === '' ? '{}' : raw);
    } catch {
      throw validation('The request body is not valid JSON');
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      throw validation('The request body must be a JSON object');
    }
    this.#body = parsed as Record<string, unknown>;
  }

  /** A member's text of any length; undefined when it is not a string. It validates nothing. */
  peek(name: string): string | undefined {
    const value = this.#body[name];
    return typeof value === 'string' ? value : undefined;
  }

  text(name: string, maximum: number, pattern?: RegExp): string {
    const value = this.optionalText(name, maximum, pattern);
    if (value === undefined) throw validation(`${name} is required`, name);
    return value;
  }

  optionalText(name: string, maximum: number, pattern?: RegExp): string | undefined {
    const value = this.#body[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value.length < 1 || value.length > maximum) {
      throw validation(`${name} must be a string of 1 to ${String(maximum)} characters`, name);
    }
    if (pattern !== undefined && !pattern.test(value)) {
      throw validation(`${name} failed to satisfy constraint: must match ${pattern.source}`, name);
    }
    return value;
  }

  texts(name: string, maximum: number): readonly string[] {
    const value = this.#body[name];
    if (!Array.isArray(value) || value.length > maximum || value.some((each) => typeof each !== 'string')) {
      throw validation(`${name} must be a list of at most ${String(maximum)} strings`, name);
    }
    return value as string[];
  }

  flag(name: string): boolean {
    const value = this.#body[name] ?? false;
    if (typeof value !== 'boolean') throw validation(`${name} must be a boolean`, name);
    return value;
  }

  textMap(name: string): Readonly<Record<string, string>> {
    const value = this.#body[name] ?? {};
    if (typeof value !== 'object' || Object.values(value).some((each) => typeof each !== 'string')) {
      throw validation(`${name} must be a map of strings`, name);
    }
    return value as Record<string, string>;
  }

  /** A union, in which exactly one of the members is set. */
  union<Name extends string>(name: string, alternatives: readonly Name[]): readonly [Name, string] {
    const value = (this.#body[name] ?? {}) as Readonly<Record<string, unknown>>;
    const given = alternatives.filter(
      (alternative) => value[alternative] !== undefined && value[alternative] !== null,
    );
    const [only] = given;
    if (only === undefined || given.length > 1 || typeof value[only] !== 'string' || value[only] === '') {
      throw validation(`${name} must have exactly one of ${alternatives.join(', ')}`, name);
    }
    return [only, value[only]];
  }
}
