import type { ObjectStore } from '../../storage/index.js';
import type { TurnInput } from '../claim.js';
import { Conversations } from '../conversations.js';
import { TaskLease } from '../task-lease.js';
import type { Turn } from '../turn.js';

/** The conversations of one task. Its lease is written when it claims, and not renewed by itself. */
export function taskOn(store: ObjectStore): Conversations {
  return new Conversations(store, new TaskLease(store));
}

/** A turn of Alice's whose claim holds. */
export async function begun(
  conversations: Conversations,
  input: TurnInput | string,
  { id = 'one', sub = 'alice', runId = 'run' } = {},
): Promise<Turn> {
  const given = typeof input === 'string' ? ({ kind: 'message', text: input } as const) : input;
  const { turn } = await conversations.begin(sub, id, runId, given);
  await turn.claimed;
  return turn;
}
