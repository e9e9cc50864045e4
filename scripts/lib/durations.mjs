import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const MEMORY = 'node_modules/.cache/onbehalf/durations.json';
/** Seconds of each suite on two cores, for a machine that has not run it yet. */
const RECORDED = { unit: 16, e2e: 156, security: 300, infra: 140, browser: 12 };

/** How long suites take: as the last whole run on this machine took, or as the table above says. */
export class Durations {
  #remembered = remembered();

  /** In seconds. */
  estimate(suites) {
    return suites.reduce((sum, suite) => sum + (this.#remembered[suite] ?? RECORDED[suite]), 0);
  }

  /** Where the estimate is from. */
  source(suites) {
    return suites.every((suite) => suite in this.#remembered)
      ? 'as the last run on this machine took'
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
    // There was no run before, or its file is broken: then the table counts.
    return {};
  }
}
