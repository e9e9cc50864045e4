import { z } from 'zod';
import {
  LATEST_FIRST_LENGTH,
  latestFirst,
  parseRecord,
  timeOf,
  type ListedKey,
  type ObjectStore,
} from '../storage/index.js';
import { conversationSummary, summaryOf, type ConversationSummary, type WorkingSet } from './conversation.js';
import type { UserKeys } from './keys.js';
import { sessionId as validId } from './session-id.js';
import { readableWorkingSet } from './stored-objects.js';

/** A line is moved at most once a minute, so the list is in order to the minute. */
const MOVED_AFTER_MS = 60_000;
/** A line may be written before the claim that names it, so it is not taken for a stale one too early. */
const STALE_AFTER_MS = 3_600_000;

const note = conversationSummary.omit({ sessionId: true }).extend({ line: z.string(), deleted: z.boolean() });

type Note = z.infer<typeof note>;

/** The name of a conversation's line at a time: the later, the earlier in the order of keys. */
export function lineAt(time: number, sessionId: string): string {
  return `${latestFirst(time)}-${sessionId}`;
}

/** The line that a conversation has from now on: a new one, unless it has been moved a moment ago. */
export function lineFrom({ line, sessionId }: WorkingSet, now: number): string {
  const movedAt = line === undefined ? 0 : timeOf(line);
  return line === undefined || now - movedAt >= MOVED_AFTER_MS ? lineAt(now, sessionId) : line;
}

/** What the list needs of a working set, to be read with its head. */
export function noteOf(set: WorkingSet): string {
  const { sessionId: _, ...summary } = summaryOf(set);
  const text = JSON.stringify({ ...summary, line: lineOf(set), deleted: set.deletedAt !== undefined });
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** One of an older version has no line yet. */
function lineOf({ line, updatedAt, sessionId }: WorkingSet): string {
  return line ?? lineAt(updatedAt, sessionId);
}

/** A line of the list: the conversation that it stands for, or that it stands for nothing any more. */
type Read = ConversationSummary | 'stale' | undefined;

/** A page of a user's conversations. */
export interface Page {
  readonly sessions: readonly ConversationSummary[];
  /** The name of the last line, where there may be more. */
  readonly next?: string;
}

/** The list of a user's conversations: an empty object for each, whose key says when it was used and which one it is. */
export class Lines {
  readonly #store: ObjectStore;
  readonly #keys: UserKeys;

  constructor(store: ObjectStore, keys: UserKeys) {
    this.#store = store;
    this.#keys = keys;
  }

  /**
   * A page, the latest first: one request for the page, and one for each of its conversations. It also puts in order the
   * lines that a task has left when it died.
   * @param after the name of a line
   */
  async page(limit: number, after?: string): Promise<Page> {
    const prefix = this.#keys.linePrefix();
    const from = after === undefined ? undefined : { after: prefix + after };
    const listed = await this.#store.list(prefix, limit, from);
    const read = await Promise.all(listed.map((line) => this.#read(line)));
    const stale = listed.filter((line, index) => read[index] === 'stale' && isOld(line));
    if (stale.length > 0) await this.#store.delete(stale.map(({ key }) => key)).catch(() => undefined);
    const sessions = read.filter((each) => typeof each === 'object').sort(byTime);
    const last = listed.at(-1);
    return {
      sessions,
      ...(last !== undefined && listed.length === limit && { next: last.key.slice(prefix.length) }),
    };
  }

  async #read({ key, modifiedAt }: ListedKey): Promise<Read> {
    const name = key.slice(this.#keys.linePrefix().length);
    const sessionId = sessionIdOf(name);
    if (!validId.safeParse(sessionId).success) return undefined;
    const found = await this.#find(sessionId);
    if (found === 'unreadable') {
      const at = modifiedAt.toISOString();
      return { sessionId, title: '', createdAt: at, updatedAt: at };
    }
    if (found === undefined || found.deleted) return 'stale';
    const { title, createdAt, updatedAt, line } = found;
    const summary = { sessionId, title, createdAt, updatedAt };
    if (line === name) return summary;
    // The conversation has another line, which a task that died may not have written. Where it is new, it was not listed.
    const written = await this.#store.put(this.#keys.line(line), '{}', { ifAbsent: true });
    return written === 'conflict' ? 'stale' : summary;
  }

  async #find(sessionId: string): Promise<Note | 'unreadable' | undefined> {
    const key = this.#keys.workingSet(sessionId);
    const head = await this.#store.head(key);
    if (head === undefined) return undefined;
    const known = noteFrom(head.note ?? '');
    if (known !== undefined) return known;
    // One of an older version has no note.
    const stored = await this.#store.get(key);
    if (stored === undefined) return undefined;
    const set = readableWorkingSet(stored.text, this.#keys.nameOf(key));
    return set === undefined ? 'unreadable' : noteFrom(noteOf(set));
  }
}

function noteFrom(text: string): Note | undefined {
  return parseRecord(note, Buffer.from(text, 'base64url').toString('utf8')).data;
}

/** A line of an older version is named by the conversation alone. */
function sessionIdOf(name: string): string {
  return name.endsWith('.json') ? name.slice(0, -'.json'.length) : name.slice(LATEST_FIRST_LENGTH + 1);
}

function isOld({ modifiedAt }: ListedKey): boolean {
  return Date.now() - modifiedAt.getTime() > STALE_AFTER_MS;
}

function byTime(one: ConversationSummary, other: ConversationSummary): number {
  return one.updatedAt < other.updatedAt ? 1 : -1;
}
