import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '../../storage/index.js';
import type { TurnInput } from '../claim.js';
import { Conversations } from '../conversations.js';
import { SharedRuns } from '../shared-runs.js';
import { TaskLease } from '../task-lease.js';
import type { Turn } from '../turn.js';

/** What one task has of the conversations. Its lease is written when it claims, and not renewed by itself. */
export interface Task {
  readonly task: string;
  readonly conversations: Conversations;
  readonly shared: SharedRuns;
}

export function partsOn(store: ObjectStore): Task {
  const lease = new TaskLease(store);
  const conversations = new Conversations(store, lease);
  return { task: lease.task, conversations, shared: new SharedRuns(store, lease) };
}

/** The conversations of one task. */
export function taskOn(store: ObjectStore): Conversations {
  return partsOn(store).conversations;
}

/** A turn of Alice's whose claim holds. Its run has a name of its own where none is given. */
export async function begun(
  conversations: Conversations,
  input: TurnInput | string,
  { id = 'one', sub = 'alice', runId = '' } = {},
): Promise<Turn> {
  const given = typeof input === 'string' ? ({ kind: 'message', text: input } as const) : input;
  const name = runId === '' ? randomUUID() : runId;
  const started = await conversations.begin(sub, id, { runId: name, digest: name, input: given });
  if (started.kind !== 'new') throw new TypeError('the run has been there before');
  await started.turn.claimed;
  return started.turn;
}
