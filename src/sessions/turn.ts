import { Logger } from '@nestjs/common';
import { AppError, errorFields } from '../common/errors/index.js';
import type { ObjectStore } from '../storage/index.js';
import { claimFor, LEASE_MS, newWorkingSet, type TurnInput } from './claim.js';
import type { StoredMessage } from './content.js';
import {
  summaryOf,
  VERSION,
  type PendingRun,
  type TurnClaim,
  type TurnOutcome,
  type TurnRecord,
  type WorkingSet,
} from './conversation.js';
import type { UserKeys } from './keys.js';
import { recover } from './recovery.js';
import { parseTurnRecord, parseWorkingSet } from './stored-objects.js';
import { windowOf } from './window.js';

/** How a turn ended. */
export interface TurnResult {
  readonly outcome: TurnOutcome;
  /** The messages that the turn added, the user's own first. */
  readonly messages: readonly StoredMessage[];
  /** The run that is paused now, its interrupts numbered from `turn.interrupts + 1`. */
  readonly pending?: PendingRun;
}

/** A claim is renewed three times within its lease. */
const RENEWAL_MS = LEASE_MS / 3;
/** The last two writes of a turn take less than this. */
const LEASE_MARGIN_MS = 30_000;

/** A turn in progress: the sole writer of its conversation until it is finished. */
export class Turn {
  readonly #logger = new Logger(Turn.name);
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
    const key = keys.workingSet(sessionId);
    const stored = await store.get(key);
    if (stored === undefined && input.kind === 'resume') throw new AppError('session_not_found');
    const found =
      stored === undefined ? newWorkingSet(sessionId, input) : parseWorkingSet(stored.text, keys.nameOf(key));
    const set = await recover(store, keys, found);
    const claim = claimFor(set, runId, input);
    const { pending: _, ...rest } = set;
    const claimed: WorkingSet = { ...rest, updatedAt: Date.now(), claim };
    const condition = stored === undefined ? ({ ifAbsent: true } as const) : { ifVersion: stored.version };
    const written = await store.put(key, JSON.stringify(claimed), condition);
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

  /** The conversation as far as the model is shown it; the user's new message is not part of it. */
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
  get pending(): PendingRun | undefined {
    return this.#claim.pending;
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
    await this.#record({
      version: VERSION,
      seq,
      runId,
      startedAt,
      endedAt,
      outcome,
      messages: [...messages],
      ...paused,
    });
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
    const stored = await this.#store.get(key);
    const own = stored === undefined ? undefined : parseTurnRecord(stored.text, this.#keys.nameOf(key));
    if (own?.runId !== record.runId || own.outcome === 'abandoned') {
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
      ...(this.#claim.pending !== undefined && { pending: this.#claim.pending }),
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
