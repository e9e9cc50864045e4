import { withRun } from './run-ids.js';
import type { StoredMessage } from './content.js';
import type { BegunWrite, TurnClaim, TurnRecord, WorkingSet } from './conversation.js';

const MAXIMUM_DOUBTED = 32;

/**
 * A conversation whose last turn died, with the record that the turn could not write. The claim of the next turn stores
 * it, so only one task can do this.
 */
export function recovered({ claim, ...set }: WorkingSet): WorkingSet {
  if (claim === undefined) return set;
  const { seq, runId, startedAt } = claim;
  const record: TurnRecord = {
    seq,
    runId,
    startedAt,
    endedAt: Date.now(),
    outcome: 'abandoned',
    messages: messagesOf(claim),
  };
  const { pending, begun = [] } = claim;
  const cutOff = begun.map(({ toolCallId }) => toolCallId);
  return {
    ...withDoubted(withRun(set, claim), begun),
    turns: seq,
    recent: [...set.recent, record],
    // An answer to an interrupt is good for one run. The next message closes the paused run, and tells which of its writes
    // may have been done.
    ...(pending !== undefined && { pending: { ...pending, resumable: false, begun: cutOff } }),
  };
}

/** A working set with further writes of which it is not known whether they were done. */
export function withDoubted(set: WorkingSet, writes: readonly BegunWrite[]): WorkingSet {
  if (writes.length === 0) return set;
  return { ...set, doubted: [...(set.doubted ?? []), ...writes].slice(-MAXIMUM_DOUBTED) };
}

function messagesOf({ userText }: TurnClaim): StoredMessage[] {
  return userText === undefined ? [] : [{ role: 'user', content: [{ text: userText }] }];
}
