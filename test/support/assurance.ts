import { appendFileSync } from 'node:fs';
import { expect } from '@jest/globals';

/** A line of the table that `npm run test:security` prints and docs/assurance.md contains. */
export interface AssuranceLine {
  /** The number of its row in docs/assurance.md. */
  readonly row: number;
  readonly claim: string;
  readonly tried: number;
  readonly held: number;
}

const SHOWN = 20;

/** Counts the cases of one claim. It continues after a failed case, and lists all failed cases at the end. */
export class Claim {
  readonly #row: number;
  readonly #claim: string;
  readonly #atLeast: number;
  readonly #failures: string[] = [];
  #tried = 0;

  constructor(row: number, claim: string, atLeast: number) {
    this.#row = row;
    this.#claim = claim;
    this.#atLeast = atLeast;
  }

  /** Alternates with every case, for a property that half of the cases should have. */
  parity(): boolean {
    return this.#tried % 2 === 1;
  }

  /** `name` describes the case and, if it fails, the actual result. */
  check(name: string | (() => string), holds: boolean): void {
    this.#tried += 1;
    if (!holds) this.#failures.push(typeof name === 'string' ? name : name());
  }

  /** Reports the claim. Fails when a case failed, or when fewer cases were tried than promised. */
  finish(): void {
    const held = this.#tried - this.#failures.length;
    const line: AssuranceLine = { row: this.#row, claim: this.#claim, tried: this.#tried, held };
    const report = process.env.ASSURANCE_REPORT;
    if (report !== undefined) appendFileSync(report, `${JSON.stringify(line)}\n`);
    expect(this.#failures.slice(0, SHOWN)).toEqual([]);
    expect(this.#tried).toBeGreaterThanOrEqual(this.#atLeast);
  }
}
