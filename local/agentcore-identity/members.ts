import { validation } from './errors.ts';

/** The members of a request whose form has been compared with the service's model. */
export class Members {
  readonly values: Readonly<Record<string, unknown>>;

  /** @throws ServiceError ValidationException for what is no JSON object */
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
    this.values = parsed as Record<string, unknown>;
  }

  /** A required text. */
  text(name: string): string {
    return String(this.values[name]);
  }

  /** A text; undefined where it is absent, or is no text because nothing has been compared yet. */
  optionalText(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  number(name: string): number | undefined {
    return (this.values[name] ?? undefined) as number | undefined;
  }

  texts(name: string): readonly string[] {
    return (this.values[name] ?? []) as string[];
  }

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  textMap(name: string): Readonly<Record<string, string>> {
    return (this.values[name] ?? {}) as Record<string, string>;
  }

  /** The member of a union that is set, with its value. */
  union(name: string): readonly [member: string, value: unknown] {
    const members = Object.entries(this.values[name] as object) as [string, unknown][];
    return members.find(([, value]) => value !== undefined && value !== null) ?? ['', undefined];
  }
}
