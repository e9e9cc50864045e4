import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { AppError } from '../common/errors/index.js';
import {
  summaryOf,
  VERSION,
  type ConversationSummary,
  type EarlierMessages,
  type FinishedRun,
  type PendingRun,
  type TurnClaim,
  type TurnRecord,
  type WorkingSet,
} from './conversation.js';
import { OBJECT_STORE, type ObjectStore, type StoredText } from '../storage/index.js';
import type { StoredMessage } from './content.js';
import { UserKeys } from './keys.js';
import { DroppedObjects } from './dropped-objects.js';
import { KnownSets } from './known-sets.js';
import { pause } from './persist.js';
import { recovered } from './recovery.js';
import { Lines, type Page as ListPage } from './lines.js';
import { parseSegment, parseWorkingSet, readableWorkingSet } from './stored-objects.js';
import { busy, newWorkingSet, type TurnRequest } from './claim.js';
import { repeatedRun } from './run-ids.js';
import type { RunName } from './shared-runs.js';
import { TaskLease } from './task-lease.js';
import { Turn, type TurnPlace } from './turn.js';
import { leavingMessages, summarised } from './window.js';
import { writeSet, type Known } from './written-set.js';

const LATE_WRITES_MS = 4_000;
const BEING_DELETED =
  'This conversation is being deleted. Delete it again to finish that, or use another id.';
const MAXIMUM_KEYS_OF_A_SESSION = 100_000;
const MAXIMUM_KEYS_OF_A_USER = 10_000_000;

/** A run of this name that is in progress at another task, or has ended. */
export type FoundRun =
  { readonly kind: 'running'; readonly task: string } | { readonly kind: 'ended'; readonly run: FinishedRun };

/** A new turn, whose claim is on its way; or the run that the request repeats. */
export type BegunTurn = { readonly kind: 'new'; readonly turn: Turn } | FoundRun;

/** The messages that the model is not to be shown any more, and the summary of those before them. */
export interface LeavingMessages {
  readonly messages: readonly StoredMessage[];
  readonly earlier?: string;
}

/** `before`: the number of a turn, which the page ends ahead of. */
interface Page {
  readonly before?: number;
  readonly limit: number;
}

export interface Transcript {
  readonly summary: ConversationSummary;
  readonly turns: readonly TurnRecord[];
  /** Pass it as `before` for the page of earlier turns; absent on the last page. */
  readonly nextBefore?: number;
  readonly pending?: PendingRun;
  readonly busy: boolean;
  /** The claim of the turn that is in progress. */
  readonly running?: TurnClaim;
  /** What the model is told of the messages that it is not shown any more. */
  readonly earlier?: EarlierMessages;
}

/** A user's conversations. Every method takes the user's `sub` and reaches nothing outside that user's prefix. */
@Injectable()
export class Conversations implements BeforeApplicationShutdown {
  readonly #store: ObjectStore;
  readonly #lease: TaskLease;
  readonly #known = new KnownSets();
  /** The turns of this task that still have to do with their conversation, by its key. */
  readonly #active = new Map<string, Turn>();
  readonly #stop = new AbortController();
  readonly #dropped: DroppedObjects;
  /** The summaries that are being written, by the key of their conversation. */
  readonly #summaries = new Map<string, Promise<unknown>>();

  constructor(@Inject(OBJECT_STORE) store: ObjectStore, lease: TaskLease) {
    this.#store = store;
    this.#lease = lease;
    this.#dropped = new DroppedObjects(store);
  }

  /**
   * Starts a turn, and its claim, which the caller awaits: `turn.claimed`. Where this task has served the conversation last,
   * no request comes before that. Another task may have served it since: the claim is then lost, and the next try reads first.
   * The id of a run names one run: where it has been there before, there is no new turn.
   * @throws AppError `session_busy` | `session_not_found` | `session_unreadable` | `interrupt_not_pending` | `run_id_used` |
   * `sessions_unavailable`
   */
  async begin(sub: string, sessionId: string, request: TurnRequest): Promise<BegunTurn> {
    const keys = new UserKeys(sub);
    const key = keys.workingSet(sessionId);
    const summary = this.#summaries.get(key);
    if (summary !== undefined) await summary;
    this.#requireInactive(key);
    const known = this.#known.take(key);
    if (known !== undefined) {
      try {
        return { kind: 'new', turn: this.#turn(keys, key, known, request) };
      } catch (error) {
        // The memory of this task may be out of date, so it does not refuse anything.
        if (!(error instanceof AppError)) throw error;
      }
    }
    const read = await this.#claimable(keys, sessionId, request);
    this.#requireInactive(key);
    if (read.kind !== 'claimable') return read;
    return { kind: 'new', turn: this.#turn(keys, key, read, request) };
  }

  /**
   * A run of a conversation, where it is the one in progress or the last one.
   * @throws AppError `session_not_found` | `run_not_found` | `session_unreadable` | `sessions_unavailable`
   */
  async run({ sub, sessionId, runId }: RunName): Promise<FoundRun> {
    const keys = new UserKeys(sub);
    const key = keys.workingSet(sessionId);
    const { text } = await this.#existing(keys, sessionId);
    const set = parseWorkingSet(text, keys.nameOf(key));
    const { claim } = set;
    if (claim?.runId === runId && (await this.#isBusy(key, set)))
      return { kind: 'running', task: claim.task };
    const { lastRun } = recovered(set);
    if (lastRun?.runId === runId) return { kind: 'ended', run: lastRun };
    throw new AppError('run_not_found');
  }

  /**
   * The user's conversations, the latest first, in pages of a constant number of requests.
   * @param page `after`: the `next` of the page before
   */
  list(
    sub: string,
    { limit, after }: { readonly limit: number; readonly after?: string },
  ): Promise<ListPage> {
    return new Lines(this.#store, new UserKeys(sub)).page(limit, after);
  }

  /**
   * The conversation's turns, the latest page first, each page in order.
   * @throws AppError `session_not_found` | `session_unreadable`
   */
  async read(sub: string, sessionId: string, page: Page): Promise<Transcript> {
    const keys = new UserKeys(sub);
    const key = keys.workingSet(sessionId);
    const stored = await this.#existing(keys, sessionId);
    const set = parseWorkingSet(stored.text, keys.nameOf(key));
    if (set.deletedAt !== undefined) throw new AppError('session_not_found');
    const isBusy = await this.#isBusy(key, set);
    // A turn that died is shown as what the next one will make of it.
    const shown = isBusy ? set : recovered(set);
    const turns = await this.#turns(keys, shown, page);
    const first = turns[0]?.seq ?? 1;
    return {
      summary: summaryOf(set),
      turns,
      busy: isBusy,
      ...(isBusy && set.claim !== undefined && { running: set.claim }),
      ...(first > 1 && { nextBefore: first }),
      ...(shown.pending !== undefined && { pending: shown.pending }),
      ...(shown.earlier !== undefined && { earlier: shown.earlier }),
    };
  }

  /**
   * Gives a conversation another title.
   * @throws AppError `session_not_found` | `session_busy` | `session_unreadable` | `sessions_unavailable`
   */
  async rename(sub: string, sessionId: string, title: string): Promise<void> {
    const keys = new UserKeys(sub);
    const key = keys.workingSet(sessionId);
    await this.#summaries.get(key);
    this.#requireInactive(key);
    const { text, version } = await this.#existing(keys, sessionId);
    const set = parseWorkingSet(text, keys.nameOf(key));
    if (set.deletedAt !== undefined) throw new AppError('session_not_found');
    if (set.claim !== undefined && (await this.#isBusy(key, set))) throw busy(set.claim);
    this.#known.forget(key);
    if ((await writeSet(this.#store, keys, { set: { ...set, title }, version })) === 'conflict')
      throw new AppError('session_busy');
  }

  /**
   * Deletes a conversation and all that belongs to it, also one that cannot be read. A delete that failed half-way can be
   * repeated.
   * @throws AppError `session_not_found` | `session_busy`
   */
  async delete(sub: string, sessionId: string): Promise<void> {
    const keys = new UserKeys(sub);
    const key = keys.workingSet(sessionId);
    await this.#summaries.get(key);
    const { text: found, version } = await this.#existing(keys, sessionId);
    // Nothing of a working set is needed to delete it.
    const set = readableWorkingSet(found, keys.nameOf(key));
    if (set?.claim !== undefined && (await this.#isBusy(key, set))) throw busy(set.claim);
    this.#known.forget(key);
    // Nothing can begin on a tombstone, so nothing new appears among what is about to go.
    const now = Date.now();
    const { createdAt = now, turns = 0, interrupts = 0, line } = set ?? {};
    const tombstone: WorkingSet = {
      version: VERSION,
      sessionId,
      createdAt,
      updatedAt: now,
      title: '',
      turns,
      interrupts,
      messages: [],
      recent: [],
      deletedAt: now,
      ...(line !== undefined && { line }),
    };
    const written = await writeSet(this.#store, keys, { set: tombstone, version });
    if (written === 'conflict') throw new AppError('session_busy');
    const listed = await this.#store.list(keys.session(sessionId), MAXIMUM_KEYS_OF_A_SESSION);
    await this.#store.delete([
      keys.olderLine(sessionId),
      ...(line === undefined ? [] : [keys.line(line)]),
      ...listed.map((entry) => entry.key).filter((each) => each !== key),
    ]);
    await this.#store.deleteVersion(key, written.version);
  }

  /**
   * What is to be summarised of a conversation that this task has served last; undefined where the model can be shown all of
   * it.
   */
  leaving(sub: string, sessionId: string): LeavingMessages | undefined {
    const set = this.#known.peek(new UserKeys(sub).workingSet(sessionId));
    const messages = set === undefined ? [] : leavingMessages(set);
    if (messages.length === 0) return undefined;
    return { messages, ...(set?.earlier !== undefined && { earlier: set.earlier.text }) };
  }

  /**
   * Has the model told a summary from the next turn on, in the place of some messages and of the summary before.
   * @param messages what `leaving` has answered
   * @returns whether it is stored: the conversation may have gone on at another task
   * @throws AppError `sessions_unavailable`
   */
  async summarise(
    sub: string,
    sessionId: string,
    text: string,
    { messages }: LeavingMessages,
  ): Promise<boolean> {
    const keys = new UserKeys(sub);
    const key = keys.workingSet(sessionId);
    for (let turn = this.#active.get(key); turn !== undefined; turn = this.#active.get(key))
      await turn.settled;
    const known = this.#known.take(key);
    const set = known === undefined ? undefined : summarised(known.set, text, messages);
    if (known === undefined || set === undefined) return false;
    const writing = writeSet(this.#store, keys, { set, version: known.version });
    this.#summaries.set(
      key,
      writing.catch(() => undefined),
    );
    try {
      const written = await writing;
      if (written !== 'conflict') this.#known.remember(key, written);
      return written !== 'conflict';
    } finally {
      this.#summaries.delete(key);
    }
  }

  /** The conversations of a user in which a turn is in progress. */
  async withTurns(sub: string): Promise<readonly string[]> {
    const keys = new UserKeys(sub);
    const listed = await this.#store.list(keys.sessions(), MAXIMUM_KEYS_OF_A_USER);
    const found: string[] = [];
    for (const { key } of listed) {
      const sessionId = keys.sessionOfWorkingSet(key);
      if (sessionId === undefined) continue;
      const stored = await this.#store.get(key);
      const set = stored === undefined ? undefined : readableWorkingSet(stored.text, keys.nameOf(key));
      if (set !== undefined && (await this.#isBusy(key, set))) found.push(sessionId);
    }
    return found;
  }

  /** Late writes get a little more time; what they do not manage, the lease gives up. */
  async beforeApplicationShutdown(): Promise<void> {
    const late = [...this.#active.values()].map(({ settled }) => settled);
    await Promise.race([Promise.all([...late, this.#dropped.flush()]), pause(LATE_WRITES_MS)]);
    this.#stop.abort();
  }

  /** @throws AppError `run_id_used` | `interrupt_not_pending` */
  #turn(keys: UserKeys, key: string, known: Known, request: TurnRequest): Turn {
    if (repeatedRun(known.set, request) !== undefined) throw new AppError('run_id_used');
    const place: TurnPlace = {
      store: this.#store,
      keys,
      lease: this.#lease,
      drop: (dropped) => {
        this.#dropped.add(dropped);
      },
      stop: this.#stop.signal,
    };
    const turn = new Turn(place, known, request);
    this.#active.set(key, turn);
    void turn.settled.then((stored) => {
      this.#active.delete(key);
      if (stored === 'served_elsewhere') this.#known.share(key);
      else if (stored !== undefined) this.#known.remember(key, stored);
    });
    return turn;
  }

  /** @throws AppError `session_busy` where this very task is serving the conversation */
  #requireInactive(key: string): void {
    const active = this.#active.get(key);
    if (active !== undefined) throw busy(active.claim);
  }

  /** The working set as it is in the store, ready to be claimed; or the run that the request repeats. */
  async #claimable(
    keys: UserKeys,
    sessionId: string,
    { runId, digest, input }: TurnRequest,
  ): Promise<(Known & { readonly kind: 'claimable' }) | FoundRun> {
    const key = keys.workingSet(sessionId);
    const stored = await this.#store.get(key);
    if (stored === undefined) {
      if (input.kind === 'resume') throw new AppError('session_not_found');
      return { kind: 'claimable', set: newWorkingSet(sessionId, input), version: undefined };
    }
    this.#known.seen(key, stored.version);
    const set = parseWorkingSet(stored.text, keys.nameOf(key));
    if (set.deletedAt !== undefined) throw new AppError('session_busy', { detail: BEING_DELETED });
    const { claim } = set;
    if (claim !== undefined && (await this.#isBusy(key, set))) {
      if (claim.runId === runId && claim.digest === digest) return { kind: 'running', task: claim.task };
      throw busy(claim);
    }
    const free = recovered(set);
    const repeated = repeatedRun(free, { runId, digest });
    if (repeated !== undefined) return { kind: 'ended', run: repeated };
    return { kind: 'claimable', set: free, version: stored.version };
  }

  /** A claim of this task is over when no turn of it is. */
  async #isBusy(key: string, { claim }: WorkingSet): Promise<boolean> {
    if (claim === undefined) return false;
    return claim.task === this.#lease.task ? this.#active.has(key) : this.#lease.isAlive(claim.task);
  }

  /** The turns of a page: the recent ones, and segment after segment ahead of them. */
  async #turns(keys: UserKeys, set: WorkingSet, { before = Infinity, limit }: Page): Promise<TurnRecord[]> {
    const { sessionId, recent } = set;
    let found = recent.filter(({ seq }) => seq < before);
    let last = found.length > 0 ? (found[0]?.seq ?? 1) - 1 : Math.min(before, set.turns + 1) - 1;
    while (last > 0 && found.length < limit) {
      const turns = await this.#segmentWith(keys, sessionId, last);
      found = [...turns.filter(({ seq }) => seq <= last), ...found];
      last = Math.min(turns[0]?.seq ?? last, last) - 1;
    }
    return found.slice(-limit);
  }

  /** The segment that has a turn. The turn is mostly its last one, which names it. */
  async #segmentWith(keys: UserKeys, sessionId: string, seq: number): Promise<readonly TurnRecord[]> {
    const key = keys.segment(sessionId, seq);
    const named = await this.#store.get(key);
    if (named !== undefined) return parseSegment(named.text, keys.nameOf(key));
    const after = { after: key };
    const [listed] = await this.#store.list(keys.segments(sessionId), 1, after);
    const stored = listed === undefined ? undefined : await this.#store.get(listed.key);
    return listed === undefined || stored === undefined
      ? []
      : parseSegment(stored.text, keys.nameOf(listed.key));
  }

  async #existing(keys: UserKeys, sessionId: string): Promise<StoredText> {
    const stored = await this.#store.get(keys.workingSet(sessionId));
    if (stored === undefined) throw new AppError('session_not_found');
    return stored;
  }
}
