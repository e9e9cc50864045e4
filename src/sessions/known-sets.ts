import type { WorkingSet } from './conversation.js';
import type { Known, WrittenSet } from './written-set.js';

const MAXIMUM_BYTES = 64_000_000;
const MAXIMUM_SHARED = 10_000;

/**
 * The working sets of the conversations that this task has served last. A turn begins with one of them without reading
 * the store: its claim fails where another task has served the conversation since. A conversation for which that has
 * happened is read first, until this task has served two turns of it in a row again.
 */
export class KnownSets {
  readonly #entries = new Map<string, WrittenSet>();
  /** The conversations that another task serves, too. */
  readonly #shared = new Set<string>();
  #bytes = 0;

  /** The working set, where it can be relied on. It is kept no longer: the turn that takes it will change it. */
  take(key: string): Known | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#shared.has(key)) return undefined;
    this.forget(key);
    return entry;
  }

  /** What `take` would answer, which stays. */
  peek(key: string): WorkingSet | undefined {
    return this.#entries.get(key)?.set;
  }

  remember(key: string, written: WrittenSet): void {
    this.forget(key);
    this.#entries.set(key, written);
    this.#bytes += written.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= MAXIMUM_BYTES) return;
      this.forget(oldest);
    }
  }

  forget(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  /** Another task has served the conversation since this one did. */
  share(key: string): void {
    this.forget(key);
    this.#shared.add(key);
    const [oldest] = this.#shared;
    if (this.#shared.size > MAXIMUM_SHARED && oldest !== undefined) this.#shared.delete(oldest);
  }

  /** The store was read: where it still has what this task has written, no other task is serving the conversation. */
  seen(key: string, version: string): void {
    if (this.#entries.get(key)?.version === version) this.#shared.delete(key);
  }
}
