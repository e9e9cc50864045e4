import { AppError } from '../common/errors/index.js';
import type { ObjectStore } from '../storage/index.js';
import type { StoredMessage } from './content.js';
import { VERSION, type TurnRecord, type WorkingSet } from './conversation.js';
import type { UserKeys } from './keys.js';
import { parseTurnRecord } from './stored-objects.js';
import { windowOf } from './window.js';

/**
 * A conversation whose last turn died. Its record is written here, unless the turn got as far as that itself; the
 * record's name makes sure that there is only one.
 */
export async function recover(store: ObjectStore, keys: UserKeys, set: WorkingSet): Promise<WorkingSet> {
  const { claim, ...rest } = set;
  if (set.deletedAt !== undefined) {
    throw new AppError('session_busy', {
      detail: 'This conversation is being deleted. Delete it again to finish that, or use another id.',
    });
  }
  if (claim === undefined) return set;
  if (claim.leaseUntil > Date.now()) throw new AppError('session_busy');
  const messages: StoredMessage[] =
    claim.userText === undefined ? [] : [{ role: 'user', content: [{ text: claim.userText }] }];
  const { seq, runId, startedAt, pending } = claim;
  const record: TurnRecord = {
    version: VERSION,
    seq,
    runId,
    startedAt,
    endedAt: Date.now(),
    outcome: 'abandoned',
    messages,
  };
  const key = keys.turn(set.sessionId, seq);
  const written = await store.put(key, JSON.stringify(record), { ifAbsent: true });
  const own = written === 'conflict' ? await store.get(key) : undefined;
  const kept = own === undefined ? record : parseTurnRecord(own.text, keys.nameOf(key));
  return {
    ...rest,
    turns: seq,
    interrupts: rest.interrupts + (kept.pending?.interrupts.length ?? 0),
    messages: windowOf([...rest.messages, ...kept.messages]),
    ...(kept.pending !== undefined && { pending: kept.pending }),
    // The effect of a half-done turn on the paused run is unknown, unless its record tells it. Such a run can be closed
    // by a message, and not run again.
    ...(pending !== undefined &&
      kept.outcome === 'abandoned' && { pending: { ...pending, resumable: false } }),
  };
}
