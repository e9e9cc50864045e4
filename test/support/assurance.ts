import { appendFileSync } from 'node:fs';
import { expect } from '@jest/globals';

/** A line of the table that `npm run test:security` prints, and docs/assurance.md holds. */
export interface AssuranceLine {
  /** The row that it belongs to: a number of docs/assurance.md. */
  readonly row: number;
  readonly claim: string;
  readonly tried: number;
  readonly held: number;
}

const SHOWN = 20;

/** Counts the cases of one claim, goes on after one that does not hold, and tells all that did not at the end. */
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

  /** Changes with every case: for what is to be one way in half of them. */
  parity(): boolean {
    return this.#tried % 2 === 1;
  }

  /** `name` tells the case, and what came instead, should it not hold. */
  check(name: string | (() => string), holds: boolean): void {
    this.#tried += 1;
    if (!holds) this.#failures.push(typeof name === 'string' ? name : name());
  }

  /** Reports, and fails when a case did not hold or fewer were tried than promised. */
  finish(): void {
    const held = this.#tried - this.#failures.length;
    const line: AssuranceLine = { row: this.#row, claim: this.#claim, tried: this.#tried, held };
    const report = process.env.ASSURANCE_REPORT;
    if (report !== undefined) appendFileSync(report, `${JSON.stringify(line)}\n`);
    expect(this.#failures.slice(0, SHOWN)).toEqual([]);
    expect(this.#tried).toBeGreaterThanOrEqual(this.#atLeast);
  }
}
