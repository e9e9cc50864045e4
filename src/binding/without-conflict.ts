import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../common/errors/index.js';

/** More than browsers make for one flow, and an end for a loop: together at most about 3 s. */
const MAXIMUM_CONFLICTS = 10;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;

/** Takes a step again, after a growing pause, as long as somebody else was faster at the same flow. */
export async function withoutConflict<T>(step: () => Promise<T | 'conflict'>): Promise<T> {
  for (let conflicts = 0; conflicts < MAXIMUM_CONFLICTS; conflicts += 1) {
    const taken = await step();
    if (taken !== 'conflict') return taken;
    await delay(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** conflicts));
  }
  throw new AppError('flows_unavailable', { reason: 'too_many_conflicts' });
}
