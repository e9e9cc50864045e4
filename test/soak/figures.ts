import type { Between, Causes } from './causes.ts';

const SHOWN_FAULTS = 20;

/** Counts what a soak has seen, and keeps a sentence for each thing that must not be. */
export class Figures {
  readonly counts = new Map<string, number>();
  /** Errors that clients got, by code; all of them, and those without an explanation. */
  readonly errors = new Map<string, number>();
  readonly unexpected: string[] = [];
  /** By the figure that must be 0. */
  readonly broken = new Map<string, string[]>();
  readonly #causes: Causes;
  readonly #say: (line: string) => void;
  readonly #startedAt = Date.now();

  /** @param say prints each fault at once */
  constructor(causes: Causes, say: (line: string) => void) {
    [this.#causes, this.#say] = [causes, say];
  }

  count(what: string, by = 1): void {
    this.counts.set(what, this.of(what) + by);
  }

  of(what: string): number {
    return this.counts.get(what) ?? 0;
  }

  /** Keeps the largest value. */
  largest(what: string, value: number): void {
    this.counts.set(what, Math.max(this.of(what), value));
  }

  /** An error that a client got; it is expected where a cause explains it. */
  error(code: string, between: Between, where: string): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    if (this.#causes.explain(code, between)) return;
    const [from, to] = [between.from, between.to].map((at) => ((at - this.#startedAt) / 1000).toFixed(1));
    const sentence = `${code} at ${where}, ${String(from)} s to ${String(to)} s after the start`;
    this.unexpected.push(sentence);
    this.#say(`Unexpected error: ${sentence}.`);
  }

  break(what: string, sentence: string): void {
    this.broken.set(what, [...(this.broken.get(what) ?? []), sentence]);
    this.#say(`${what}: ${sentence}.`);
  }

  /** A sentence for each thing that must not be. */
  faults(): readonly string[] {
    const broken = [...this.broken].flatMap(([what, sentences]) =>
      sentences.map((each) => `${what}: ${each}`),
    );
    const all = [...broken, ...this.unexpected.map((each) => `unexpected error: ${each}`)];
    const more = all.length - SHOWN_FAULTS;
    return more > 0 ? [...all.slice(0, SHOWN_FAULTS), `and ${String(more)} more`] : all;
  }
}
