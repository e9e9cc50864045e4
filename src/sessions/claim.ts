import { AppError } from '../common/errors/index.js';
import { VERSION, type PendingRun, type TurnClaim, type WorkingSet } from './conversation.js';

/** A turn starts with a user's message, or with answers to the interrupts of a paused run. */
export type TurnInput =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'resume'; readonly interruptIds: readonly string[] };

/** A claim lives this long without being renewed. */
export const LEASE_MS = 60_000;
const TITLE_LENGTH = 80;

export function newWorkingSet(sessionId: string, input: TurnInput): WorkingSet {
  const title = input.kind === 'message' ? input.text.replace(/\s+/g, ' ').trim().slice(0, TITLE_LENGTH) : '';
  const now = Date.now();
  return {
    version: VERSION,
    sessionId,
    createdAt: now,
    updatedAt: now,
    title,
    turns: 0,
    interrupts: 0,
    messages: [],
  };
}

export function claimFor(set: WorkingSet, runId: string, input: TurnInput): TurnClaim {
  const { pending } = set;
  if (input.kind === 'resume') requireAnswers(pending, input.interruptIds);
  const now = Date.now();
  return {
    seq: set.turns + 1,
    runId,
    startedAt: now,
    leaseUntil: now + LEASE_MS,
    ...(input.kind === 'message' && { userText: input.text }),
    ...(pending !== undefined && { pending }),
  };
}

/** Every pending interrupt is answered, and nothing else: half an answer would leave the run paused in between. */
function requireAnswers(pending: PendingRun | undefined, answered: readonly string[]): void {
  const expected = pending?.resumable === true ? pending.interrupts.map(({ id }) => id) : [];
  const complete = expected.length > 0 && expected.every((id) => answered.includes(id));
  if (complete && answered.length === expected.length && new Set(answered).size === answered.length) return;
  const detail =
    expected.length === 0
      ? 'No interrupt is pending in this conversation. Send a message instead.'
      : `Answer every pending interrupt, each once: ${expected.join(', ')}.`;
  throw new AppError('interrupt_not_pending', { detail });
}
