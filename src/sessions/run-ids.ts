import { AppError } from '../common/errors/index.js';
import type { Json } from './content.js';
import type { FinishedRun, TurnClaim, WorkingSet } from './conversation.js';

const KEPT = 32;
const MAXIMUM_BYTES = 256_000;

/** A working set with the run of a turn as its last one. */
export function withRun(
  set: WorkingSet,
  { runId, digest }: Pick<TurnClaim, 'runId' | 'digest'>,
  events?: Json[],
): WorkingSet {
  const isKept = events !== undefined && Buffer.byteLength(JSON.stringify(events)) <= MAXIMUM_BYTES;
  const lastRun: FinishedRun = {
    runId,
    ...(digest !== undefined && { digest }),
    ...(isKept && { events }),
  };
  return { ...set, runIds: [...(set.runIds ?? []), runId].slice(-KEPT), lastRun };
}

/**
 * The run of this name, where it is the last one; undefined where it is new.
 * @throws AppError `run_id_used` for an older run, and for another run of the same name
 */
export function repeatedRun(
  { lastRun, runIds = [] }: WorkingSet,
  { runId, digest }: { readonly runId: string; readonly digest: string },
): FinishedRun | undefined {
  if (lastRun?.runId === runId && lastRun.digest === digest) return lastRun;
  if (runIds.includes(runId)) throw new AppError('run_id_used');
  return undefined;
}
