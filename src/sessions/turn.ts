import { Logger } from '@nestjs/common';
import { AppError, errorFields } from '../common/errors/index.js';
import type { ObjectStore, StoredText } from '../storage/index.js';
import { claimed, type TurnRequest } from './claim.js';
import type { Json, StoredMessage } from './content.js';
import {
  type BegunWrite,
  type EarlierMessages,
  type PendingRun,
  type TurnClaim,
  type TurnOutcome,
  type TurnRecord,
  type WorkingSet,
} from './conversation.js';
import type { UserKeys } from './keys.js';
import { isUnavailable, persist } from './persist.js';
import { withDoubted } from './recovery.js';
import { withRun } from './run-ids.js';
import { movedToSegment } from './segments.js';
import { readableWorkingSet } from './stored-objects.js';
import type { TaskLease } from './task-lease.js';
import { shownMessages, trimmed } from './window.js';
import { writeSet, type Known, type WrittenSet } from './written-set.js';

/** How a turn ended. */
export interface TurnResult {
  readonly outcome: TurnOutcome;
  /** The messages that the turn added, the user's own first. */
  readonly messages: readonly StoredMessage[];
  /** The run that is paused now, its interrupts numbered from `turn.interrupts + 1`. */
  readonly pending?: PendingRun;
  /** The run's events, for a client that has lost them. */
  readonly events?: Json[];
}

/** What a turn works with. */
export interface TurnPlace {
  readonly store: ObjectStore;
  readonly keys: UserKeys;
  readonly lease: TaskLease;
  /** Deletes an object some time later. */
  readonly drop: (key: string) => void;
  /** Aborts when writes that the store does not take are to be given up: the process ends. */
  readonly stop: AbortSignal;
}

/** What the store holds after a turn, as far as the turn knows. */
type Settled = WrittenSet | 'served_elsewhere' | undefined;

type ClaimedSet = WorkingSet & { readonly claim: TurnClaim };

/**
 * A turn in progress: the sole writer of its conversation until it is finished. The model may be asked while the claim is
 * still being written. Nothing is shown, stored or called at a provider before it holds.
 */
export class Turn {
  /** Resolves when the claim holds. @throws AppError `session_busy` | `sessions_unavailable` */
  readonly claimed: Promise<void>;
  /** Resolves when the turn has nothing to do with its conversation any more. */
  readonly settled: Promise<Settled>;
  readonly #logger = new Logger(Turn.name);
  readonly #lost = new AbortController();
  readonly #place: TurnPlace;
  readonly #messages: readonly StoredMessage[];
  readonly #settle: (how: Settled) => void;
  readonly #previousLine: string | undefined;
  readonly #doubted: BegunWrite[] = [];
  #set: ClaimedSet;
  #version: string | undefined;
  /** Writes go one after the other: each needs the version that the one before it made. */
  #writes: Promise<void>;

  /** @throws AppError `interrupt_not_pending` */
  constructor(place: TurnPlace, known: Known, request: TurnRequest) {
    this.#place = place;
    this.#set = claimed(known.set, request, place.lease.task);
    this.#version = known.version;
    this.#previousLine = known.set.line;
    this.#messages = shownMessages(known.set);
    const { promise, resolve } = Promise.withResolvers<Settled>();
    [this.settled, this.#settle] = [promise, resolve];
    this.claimed = this.#take();
    // The caller that began the turn waits for its claim. Nobody waits for this promise.
    this.#writes = this.claimed.catch(() => undefined);
  }

  /** The conversation as far as the model is shown it; the user's new message is not part of it. */
  get messages(): readonly StoredMessage[] {
    return this.#messages;
  }

  /** Aborts when another turn is found to own the conversation, so that this one stops. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** How many interrupts the conversation has had. */
  get interrupts(): number {
    return this.#set.interrupts;
  }

  /** The paused run that this turn resumes, or closes by a message. */
  get pending(): PendingRun | undefined {
    return this.claim.pending;
  }

  /** The summary of what `messages` begins after. */
  get earlier(): EarlierMessages | undefined {
    return this.#set.earlier;
  }

  /** When the conversation began: Unix milliseconds. */
  get since(): number {
    return this.#set.createdAt;
  }

  get claim(): TurnClaim {
    return this.#set.claim;
  }

  /**
   * Notes that a write is about to be made at a provider. After a crash the conversation can then say that it may have been
   * done, and of every other write that it was not.
   * @throws AppError `session_busy` where another turn has taken over, `sessions_unavailable`
   */
  async noteWrite(toolCallId: string, digest: string): Promise<void> {
    await this.claimed;
    const noted = this.#writes.then(() => {
      const { claim } = this.#set;
      const begun = [...(claim.begun ?? []), { toolCallId, digest, at: Date.now() }];
      return this.#write({ ...this.#set, claim: { ...claim, begun } });
    });
    this.#writes = noted.catch(() => undefined);
    await noted;
  }

  /** The outcome of a write is not known: it stays in doubt. */
  doubt(toolCallId: string): void {
    this.#doubted.push(...(this.claim.begun ?? []).filter((write) => write.toolCallId === toolCallId));
  }

  /** It is known that a write was done: it is in doubt no more. */
  settleDoubt(digest: string): void {
    const { doubted, ...rest } = this.#set;
    if (doubted === undefined) return;
    this.#set = { ...rest, doubted: doubted.filter((write) => write.digest !== digest) };
  }

  /** Since when it is in doubt whether a write was done: Unix milliseconds; undefined where it is not in doubt. */
  doubtedSince(digest: string): number | undefined {
    return this.#set.doubted?.find((write) => write.digest === digest)?.at;
  }

  /**
   * Stores the turn and gives the claim back, in one write. While the store does not answer, the write is tried again in the
   * background, and the conversation stays claimed.
   * @throws AppError `session_busy` when another turn has taken over, `sessions_unavailable`
   */
  async finish(result: TurnResult): Promise<void> {
    await this.claimed;
    await this.#writes;
    const ended = this.#ended(result);
    try {
      await this.#end(ended);
    } catch (error) {
      if (isUnavailable(error)) void this.#inBackground('turn', () => this.#end(ended));
      else this.#settle('served_elsewhere');
      throw error;
    }
  }

  /** Gives the claim back, when the turn could not even start; a conversation that it began goes with it. */
  async abandon(): Promise<void> {
    await this.#writes;
    await this.#release().then(
      () => {
        this.#settle(undefined);
      },
      () => this.#inBackground('claim', () => this.#release()),
    );
  }

  /** The line in the list, where it moves, and the claim, which names it. */
  async #take(): Promise<void> {
    const { store, keys, lease, drop } = this.#place;
    const { line = '' } = this.#set;
    const moves = line !== this.#previousLine;
    try {
      await lease.fresh();
      if (moves) await store.put(keys.line(line), '{}', { always: true });
      const written = await this.#put(this.#set);
      if (written === 'conflict') throw new AppError('session_busy', { reason: 'claim_lost' });
      this.#version = written.version;
      if (moves && this.#previousLine !== undefined) drop(keys.line(this.#previousLine));
    } catch (error) {
      // The store may have the claim, although it did not say so.
      if (isUnavailable(error)) void this.#inBackground('claim', () => this.#release());
      else this.#settle('served_elsewhere');
      throw error;
    }
  }

  #ended({ outcome, messages, pending, events }: TurnResult): WorkingSet {
    const { claim, ...rest } = this.#set;
    const { seq, runId, startedAt } = claim;
    const endedAt = Date.now();
    const paused = pending === undefined ? {} : { pending };
    const record: TurnRecord = {
      seq,
      runId,
      startedAt,
      endedAt,
      outcome,
      messages: [...messages],
      ...paused,
    };
    return {
      ...withDoubted(withRun(rest, claim, events), this.#doubted),
      updatedAt: endedAt,
      turns: seq,
      interrupts: rest.interrupts + (pending?.interrupts.length ?? 0),
      recent: [...rest.recent, record],
      ...paused,
    };
  }

  async #end(ended: WorkingSet): Promise<void> {
    const { store, keys } = this.#place;
    const moved = movedToSegment(ended);
    if (moved !== undefined) {
      const key = keys.segment(ended.sessionId, moved.last);
      await store.put(key, JSON.stringify(moved.segment), { always: true });
    }
    const set = trimmed(moved?.set ?? ended);
    this.#settle(await this.#putOwn(set));
  }

  /** Takes the claim out of the working set, where it is this turn's own. */
  async #release(): Promise<void> {
    const { store, keys } = this.#place;
    const { sessionId, turns, line = '' } = this.#set;
    const { text, version } = await this.#stored();
    if (text === undefined || version === undefined || !this.#isOwn(text)) return;
    if (turns === 0) {
      await store.deleteVersion(keys.workingSet(sessionId), version);
      await store.delete([keys.line(line)]);
      return;
    }
    const {
      claim: { pending },
      ...rest
    } = this.#set;
    const set = { ...rest, ...(pending !== undefined && { pending }) };
    await writeSet(store, keys, { set, version });
  }

  async #inBackground(what: 'turn' | 'claim', work: () => Promise<void>): Promise<void> {
    const startedAt = Date.now();
    const done = await persist(work, this.#place.stop).catch((error: unknown) => {
      this.#logger.warn({ event: 'late_write_failed', what, ...errorFields(error) });
      return false;
    });
    const event = done ? 'written_late' : 'not_written';
    this.#logger.warn({ event, what, afterMs: Date.now() - startedAt });
    this.#settle(undefined);
  }

  async #stored(): Promise<Partial<StoredText>> {
    const { store, keys } = this.#place;
    return (await store.get(keys.workingSet(this.#set.sessionId))) ?? {};
  }

  async #write(set: ClaimedSet): Promise<void> {
    this.#version = (await this.#putOwn(set)).version;
    this.#set = set;
  }

  /** Writes while the claim is this turn's own. An earlier write, whose answer was lost, may have been done. */
  async #putOwn(set: WorkingSet): Promise<WrittenSet> {
    const written = await this.#put(set);
    if (written !== 'conflict') return written;
    const { text, version } = await this.#stored();
    if (text === undefined || version === undefined) throw this.#lose();
    if (text === JSON.stringify(set)) return { set, version, bytes: Buffer.byteLength(text) };
    if (!this.#isOwn(text)) throw this.#lose();
    this.#version = version;
    const again = await this.#put(set);
    if (again === 'conflict') throw this.#lose();
    return again;
  }

  #isOwn(text: string): boolean {
    const { keys } = this.#place;
    const { seq, runId, task } = this.claim;
    const own = readableWorkingSet(text, keys.nameOf(keys.workingSet(this.#set.sessionId)))?.claim;
    return own?.seq === seq && own.runId === runId && own.task === task;
  }

  #put(set: WorkingSet): Promise<WrittenSet | 'conflict'> {
    const { store, keys } = this.#place;
    return writeSet(store, keys, { set, version: this.#version });
  }

  #lose(): AppError {
    const error = new AppError('session_busy', { reason: 'claim_lapsed' });
    this.#lost.abort(error);
    return error;
  }
}
