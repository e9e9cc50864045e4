import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The state of a part: a JSON value. If a file is given, the value is stored there and survives a restart. A write goes to a
 * temporary file first, which is then renamed.
 */
export class State<T extends object> {
  readonly #file: string | undefined;
  readonly #initial: () => T;
  value: T;

  constructor(initial: () => T, file?: string) {
    this.#initial = initial;
    this.#file = file;
    this.value = file === undefined ? initial() : ((readJson(file) as T | undefined) ?? initial());
  }

  save(): void {
    if (this.#file === undefined) return;
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.value), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }

  snapshot(): T {
    return structuredClone(this.value);
  }

  restore(value: T): void {
    this.value = structuredClone(value);
    this.save();
  }

  reset(): void {
    this.value = this.#initial();
    if (this.#file !== undefined) rmSync(this.#file, { force: true });
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${file} cannot be read; remove it or run: npm start -- --reset`, { cause: error });
  }
}
