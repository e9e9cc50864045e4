import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../common/errors/index.js';
import {
  summaryOf,
  VERSION,
  type ConversationSummary,
  type PendingRun,
  type TurnRecord,
  type WorkingSet,
} from './conversation.js';
import { OBJECT_STORE, type ObjectStore, type StoredText } from '../storage/index.js';
import { UserKeys } from './keys.js';
import { parseSummary, parseTurnRecord, parseWorkingSet, readableWorkingSet } from './stored-objects.js';
import type { TurnInput } from './claim.js';
import { Turn } from './turn.js';

/** S3 lists by key, so the index is read whole before it can be sorted by time. */
const MAXIMUM_LISTED_KEYS = 10_000;
const MAXIMUM_KEYS_OF_A_SESSION = 100_000;

export interface Transcript {
  readonly summary: ConversationSummary;
  readonly turns: readonly TurnRecord[];
  /** Pass it as `before` for the page of earlier turns; absent on the last page. */
  readonly nextBefore?: number;
  readonly pending?: PendingRun;
  readonly busy: boolean;
}

/** A user's conversations. Every method takes the user's `sub` and reaches nothing outside that user's prefix. */
@Injectable()
export class Conversations {
  readonly #store: ObjectStore;

  constructor(@Inject(OBJECT_STORE) store: ObjectStore) {
    this.#store = store;
  }

  /**
   * Starts a turn: claims the conversation and keeps the user's message, before any model is called.
   * @throws AppError `session_busy` | `session_not_found` | `interrupt_not_pending` | `sessions_unavailable`
   */
  begin(sub: string, sessionId: string, runId: string, input: TurnInput): Promise<Turn> {
    return Turn.begin(this.#store, new UserKeys(sub), sessionId, runId, input);
  }

  /** The user's conversations, the latest first. One whose line cannot be read is listed by its id alone. */
  async list(sub: string, limit: number): Promise<readonly ConversationSummary[]> {
    const keys = new UserKeys(sub);
    const listed = await this.#store.list(keys.indexPrefix(), MAXIMUM_LISTED_KEYS);
    const latest = [...listed]
      .sort((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime())
      .slice(0, limit);
    const found = await Promise.all(latest.map(({ key }) => this.#store.get(key)));
    return latest.flatMap(({ key, modifiedAt }, index) => {
      const text = found[index]?.text;
      if (text === undefined) return [];
      const at = modifiedAt.toISOString();
      const unknown = { sessionId: keys.sessionIdOf(key), title: '', createdAt: at, updatedAt: at };
      return [parseSummary(text, keys.nameOf(key)) ?? unknown];
    });
  }

  /**
   * The conversation's turns, the latest page first, each page in order.
   * @param page `before`: the number of a turn, which the page ends ahead of
   * @throws AppError `session_not_found` | `session_unreadable`
   */
  async read(
    sub: string,
    sessionId: string,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<Transcript> {
    const keys = new UserKeys(sub);
    const stored = await this.#existing(keys, sessionId);
    const set = parseWorkingSet(stored.text, keys.nameOf(keys.workingSet(sessionId)));
    if (set.deletedAt !== undefined) throw new AppError('session_not_found');
    const end = Math.min(page.before ?? Infinity, set.turns + 1);
    const start = Math.max(1, end - page.limit);
    const numbers = Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
    const turns = await Promise.all(numbers.map((seq) => this.#turn(keys, keys.turn(sessionId, seq))));
    return {
      summary: summaryOf(set),
      turns: turns.filter((turn) => turn !== undefined),
      busy: isBusy(set),
      ...(start > 1 && { nextBefore: start }),
      ...(set.pending !== undefined && { pending: set.pending }),
    };
  }

  /**
   * Deletes a conversation and all that belongs to it, also one that cannot be read. A delete that failed half-way can be
   * repeated.
   * @throws AppError `session_not_found` | `session_busy`
   */
  async delete(sub: string, sessionId: string): Promise<void> {
    const keys = new UserKeys(sub);
    const key = keys.workingSet(sessionId);
    const { text, version } = await this.#existing(keys, sessionId);
    // Nothing of a working set is needed to delete it.
    const set = readableWorkingSet(text, keys.nameOf(key));
    if (set !== undefined && isBusy(set)) throw new AppError('session_busy');
    // Nothing can begin on a tombstone, so nothing new appears among what is about to go.
    const now = Date.now();
    const { createdAt = now, turns = 0, interrupts = 0 } = set ?? {};
    const tombstone: WorkingSet = {
      version: VERSION,
      sessionId,
      createdAt,
      updatedAt: now,
      title: '',
      turns,
      interrupts,
      messages: [],
      deletedAt: now,
    };
    const written = await this.#store.put(key, JSON.stringify(tombstone), { ifVersion: version });
    if (written === 'conflict') throw new AppError('session_busy');
    const listed = await this.#store.list(keys.session(sessionId), MAXIMUM_KEYS_OF_A_SESSION);
    await this.#store.delete([
      keys.index(sessionId),
      ...listed.map((entry) => entry.key).filter((each) => each !== key),
    ]);
    await this.#store.deleteVersion(key, written.version);
  }

  async #turn(keys: UserKeys, key: string): Promise<TurnRecord | undefined> {
    const stored = await this.#store.get(key);
    return stored === undefined ? undefined : parseTurnRecord(stored.text, keys.nameOf(key));
  }

  async #existing(keys: UserKeys, sessionId: string): Promise<StoredText> {
    const stored = await this.#store.get(keys.workingSet(sessionId));
    if (stored === undefined) throw new AppError('session_not_found');
    return stored;
  }
}

function isBusy({ claim }: WorkingSet): boolean {
  return claim !== undefined && claim.leaseUntil > Date.now();
}
