import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const MEMORY = 'node_modules/.cache/onbehalf/durations.json';
/** The duration of each suite in seconds on two cores, for a machine that has not run the suite yet. */
const RECORDED = { unit: 120, e2e: 520, security: 340, infra: 120, browser: 180 };

/** The durations of the suites: from the last whole run on this machine, or from the table above. */
export class Durations {
  #remembered = remembered();

  /** The durations in seconds. */
  estimate(suites) {
    return suites.reduce((sum, suite) => sum + (this.#remembered[suite] ?? RECORDED[suite]), 0);
  }

  /** The source of the estimate. */
  source(suites) {
    return suites.every((suite) => suite in this.#remembered)
      ? 'from the last run on this machine'
      : 'as recorded on a machine with two cores';
  }

  remember(suite, seconds) {
    this.#remembered = { ...remembered(), [suite]: seconds };
    mkdirSync(dirname(MEMORY), { recursive: true });
    writeFileSync(MEMORY, JSON.stringify(this.#remembered));
  }
}

export function inWords(seconds) {
  return seconds < 90 ? `${String(Math.ceil(seconds))} s` : `${String(Math.round(seconds / 60))} min`;
}

function remembered() {
  try {
    const value = JSON.parse(readFileSync(MEMORY, 'utf8'));
    return Object.fromEntries(Object.entries(value).filter(([, seconds]) => Number.isFinite(seconds)));
  } catch {
    // There was no earlier run, or its file is broken, so the table is used.
    return {};
  }
}
