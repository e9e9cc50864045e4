import { Logger } from '@nestjs/common';
import { AppError, errorFields } from '../common/errors/index.js';
import {
  summaryOf,
  type PendingRun,
  type StoredMessage,
  type TurnClaim,
  type TurnOutcome,
  type TurnRecord,
  type WorkingSet,
} from './conversation.js';
import type { UserKeys } from './keys.js';
import type { ObjectStore } from '../storage/index.js';
import { windowOf } from './window.js';

/** What starts a turn: the user's words, or answers to the interrupts of a paused run. */
export type TurnInput =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'resume'; readonly interruptIds: readonly string[] };

export interface TurnResult {
  readonly outcome: TurnOutcome;
  /** The messages that the turn added, the user's own first. */
  readonly messages: readonly StoredMessage[];
  /** The run that is paused now, its interrupts numbered from `turn.interrupts + 1`. */
  readonly pending?: PendingRun;
}

/** A claim lives this long without being renewed; it is renewed three times as often. */
const LEASE_MS = 60_000;
const RENEWAL_MS = 20_000;
/** The last two writes of a turn take less than this. */
const LEASE_MARGIN_MS = 30_000;
const TITLE_LENGTH = 80;

/** A turn in progress: the sole writer of its conversation until it is finished. */
export class Turn {
  readonly #logger = new Logger('Turn');
  readonly #lost = new AbortController();
  readonly #store: ObjectStore;
  readonly #keys: UserKeys;
  readonly #renewal: NodeJS.Timeout;
  #set: WorkingSet;
  readonly #claim: TurnClaim;
  #version: string;
  /** Writes go one after the other: each needs the version that the one before it made. */
  #writes: Promise<void> = Promise.resolve();

  private constructor(
    store: ObjectStore,
    keys: UserKeys,
    set: WorkingSet,
    claim: TurnClaim,
    version: string,
  ) {
    this.#store = store;
    this.#keys = keys;
    this.#set = set;
    this.#claim = claim;
    this.#version = version;
    this.#renewal = setInterval(() => {
      this.#writes = this.#writes
        .then(() => this.#renew())
        .catch((error: unknown) => {
          this.#renewalFailed(error);
        });
    }, RENEWAL_MS);
    this.#renewal.unref();
  }

  static async begin(
    store: ObjectStore,
    keys: UserKeys,
    sessionId: string,
    runId: string,
    input: TurnInput,
  ): Promise<Turn> {
    const stored = await store.get(keys.workingSet(sessionId));
    if (stored === undefined && input.kind === 'resume') throw new AppError('session_not_found');
    const found =
      stored === undefined ? newWorkingSet(sessionId, input) : (JSON.parse(stored.text) as WorkingSet);
    const set = await recover(store, keys, found);
    const claim = claimFor(set, runId, input);
    const { pending: _, ...rest } = set;
    const claimed: WorkingSet = { ...rest, updatedAt: Date.now(), claim };
    const condition = stored === undefined ? ({ ifAbsent: true } as const) : { ifVersion: stored.version };
    const written = await store.put(keys.workingSet(sessionId), JSON.stringify(claimed), condition);
    if (written === 'conflict') throw new AppError('session_busy', { reason: 'claim_lost' });
    const turn = new Turn(store, keys, claimed, claim, written.version);
    try {
      await store.put(keys.index(sessionId), JSON.stringify(summaryOf(claimed)), { always: true });
    } catch (error) {
      await turn.abandon();
      throw error;
    }
    return turn;
  }

  /** What the model has been shown so far; the user's new message is not part of it. */
  get messages(): readonly StoredMessage[] {
    return this.#set.messages;
  }

  /** Aborts when the claim is lost: another turn may own the conversation now, so this one must stop. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** How many interrupts the conversation has had. */
  get interrupts(): number {
    return this.#set.interrupts;
  }

  /** The paused run that this turn resumes, or closes by a message. */
  get taken(): PendingRun | undefined {
    return this.#claim.taken;
  }

  /**
   * Writes the turn's record, then the working set, which ends the claim.
   * @throws AppError `session_busy` when the claim had lapsed and another turn took over
   */
  async finish(result: TurnResult): Promise<void> {
    clearInterval(this.#renewal);
    await this.#writes;
    const { seq, runId, startedAt } = this.#claim;
    const { outcome, messages, pending } = result;
    // While the lease runs, nobody can take the conversation over or delete it. Make sure that it does.
    if ((this.#set.claim?.leaseUntil ?? 0) - Date.now() < LEASE_MARGIN_MS) await this.#renew();
    const endedAt = Date.now();
    const paused = pending === undefined ? {} : { pending };
    await this.#record({ version: 1, seq, runId, startedAt, endedAt, outcome, messages, ...paused });
    const { claim: _, ...rest } = this.#set;
    await this.#write({
      ...rest,
      updatedAt: endedAt,
      turns: seq,
      interrupts: rest.interrupts + (pending?.interrupts.length ?? 0),
      messages: windowOf([...rest.messages, ...messages]),
      ...paused,
    });
  }

  /** A record that is there already may be this turn's own: the store failed after it, and the turn is finished again. */
  async #record(record: TurnRecord): Promise<void> {
    const key = this.#keys.turn(this.#set.sessionId, record.seq);
    if ((await this.#store.put(key, JSON.stringify(record), { ifAbsent: true })) !== 'conflict') return;
    const stored = JSON.parse((await this.#store.get(key))?.text ?? '{}') as Partial<TurnRecord>;
    if (stored.runId !== record.runId || stored.outcome === 'abandoned') {
      throw new AppError('session_busy', { reason: 'claim_lapsed' });
    }
  }

  /** Gives the claim back, when the turn could not even start; a conversation that it began goes with it. */
  async abandon(): Promise<void> {
    clearInterval(this.#renewal);
    await this.#writes;
    if (this.#set.turns === 0) {
      await this.#store
        .deleteVersion(this.#keys.workingSet(this.#set.sessionId), this.#version)
        .catch(() => undefined);
      return;
    }
    const { claim: _, ...rest } = this.#set;
    await this.#write({
      ...rest,
      ...(this.#claim.taken !== undefined && { pending: this.#claim.taken }),
    }).catch(() => undefined);
  }

  #renewalFailed(error: unknown): void {
    this.#logger.warn({ event: 'claim_not_renewed', ...errorFields(error) });
    const lapsed = (this.#set.claim?.leaseUntil ?? 0) <= Date.now();
    if (lapsed || (error instanceof AppError && error.code === 'session_busy')) {
      this.#lost.abort(new AppError('session_busy', { reason: 'claim_lapsed' }));
    }
  }

  async #renew(): Promise<void> {
    await this.#write({ ...this.#set, claim: { ...this.#claim, leaseUntil: Date.now() + LEASE_MS } });
  }

  async #write(set: WorkingSet): Promise<void> {
    const key = this.#keys.workingSet(this.#set.sessionId);
    const written = await this.#store.put(key, JSON.stringify(set), { ifVersion: this.#version });
    if (written === 'conflict') throw new AppError('session_busy', { reason: 'claim_lapsed' });
    this.#version = written.version;
    this.#set = set;
  }
}

function newWorkingSet(sessionId: string, input: TurnInput): WorkingSet {
  const title = input.kind === 'message' ? input.text.replace(/\s+/g, ' ').trim().slice(0, TITLE_LENGTH) : '';
  const now = Date.now();
  return {
    version: 1,
    sessionId,
    createdAt: now,
    updatedAt: now,
    title,
    turns: 0,
    interrupts: 0,
    messages: [],
  };
}

function claimFor(set: WorkingSet, runId: string, input: TurnInput): TurnClaim {
  const { pending } = set;
  if (input.kind === 'resume') requireAnswers(pending, input.interruptIds);
  const now = Date.now();
  return {
    seq: set.turns + 1,
    runId,
    startedAt: now,
    leaseUntil: now + LEASE_MS,
    ...(input.kind === 'message' && { userText: input.text }),
    ...(pending !== undefined && { taken: pending }),
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

/**
 * A conversation whose last turn died. Its record is written in its stead, unless it got as far as that itself; the
 * record's name makes sure that there is one only.
 */
async function recover(store: ObjectStore, keys: UserKeys, set: WorkingSet): Promise<WorkingSet> {
  const { claim, ...rest } = set;
  if (set.deletedAt !== undefined) {
    throw new AppError('session_busy', {
      detail: 'This conversation is being deleted. Delete it again to finish that, or use another id.',
    });
  }
  if (claim === undefined) return set;
  if (claim.leaseUntil > Date.now()) throw new AppError('session_busy');
  const messages: readonly StoredMessage[] =
    claim.userText === undefined ? [] : [{ role: 'user', content: [{ text: claim.userText }] }];
  const { seq, runId, startedAt, taken } = claim;
  const record: TurnRecord = {
    version: 1,
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
  const kept = own === undefined ? record : (JSON.parse(own.text) as TurnRecord);
  return {
    ...rest,
    turns: seq,
    interrupts: rest.interrupts + (kept.pending?.interrupts.length ?? 0),
    messages: windowOf([...rest.messages, ...kept.messages]),
    ...(kept.pending !== undefined && { pending: kept.pending }),
    // What a half-done turn has done with the paused run is unknown, unless its record tells: it can be closed by a
    // message, not run again.
    ...(taken !== undefined && kept.outcome === 'abandoned' && { pending: { ...taken, resumable: false } }),
  };
}
