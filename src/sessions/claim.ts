import { AppError } from '../common/errors/index.js';
import { lineFrom } from './lines.js';
import { VERSION, type PendingRun, type TurnClaim, type WorkingSet } from './conversation.js';

/** A turn starts with a user's message, or with answers to the interrupts of a paused run. */
export type TurnInput =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'resume'; readonly interruptIds: readonly string[] };

/** A turn that is asked for. */
export interface TurnRequest {
  readonly runId: string;
  /** Of the input: the same for the same one. */
  readonly digest: string;
  readonly input: TurnInput;
}

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
    recent: [],
  };
}

/** The working set with the claim of a new turn. @throws AppError `interrupt_not_pending` */
export function claimed(
  set: WorkingSet,
  { runId, digest, input }: TurnRequest,
  task: string,
): WorkingSet & { readonly claim: TurnClaim } {
  const { pending, lastRun: _, ...rest } = set;
  if (input.kind === 'resume') requireAnswers(pending, input.interruptIds);
  const now = Date.now();
  const claim: TurnClaim = {
    seq: set.turns + 1,
    runId,
    digest,
    task,
    startedAt: now,
    ...(input.kind === 'message' && { userText: input.text }),
    ...(pending !== undefined && { pending }),
  };
  return { ...rest, updatedAt: now, line: lineFrom(set, now), claim };
}

/** A turn is in progress. The error says since when. */
export function busy({ startedAt }: Pick<TurnClaim, 'startedAt'>, reason?: string): AppError {
  const since = new Date(startedAt).toISOString().slice(11, 19);
  return new AppError('session_busy', {
    detail: `This conversation has been answering since ${since} UTC. Wait for its end, then try again. If its server has failed, it is free again within 10 seconds.`,
    ...(reason !== undefined && { reason }),
  });
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
