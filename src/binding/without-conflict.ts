import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../common/errors/index.js';

/** More conflicts than browsers cause for one flow; all pauses together take at most about 3 s. */
const MAXIMUM_CONFLICTS = 10;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;

/** Repeats a step after a growing pause, as long as another request writes the same flow first. */
export async function withoutConflict<T>(step: () => Promise<T | 'conflict'>): Promise<T> {
  for (let conflicts = 0; conflicts < MAXIMUM_CONFLICTS; conflicts += 1) {
    const result = await step();
    if (result !== 'conflict') return result;
    await delay(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** conflicts));
  }
  throw new AppError('flows_unavailable', { reason: 'too_many_conflicts' });
}
