import { Logger } from '@nestjs/common';
import { errorFields } from '../common/errors/index.js';
import type { ObjectStore } from '../storage/index.js';

const FLUSH_AFTER_MS = 10_000;
const FLUSH_AT = 500;

/** Objects that nobody needs any more, deleted many at a time. The next reader deletes those that are lost with the process. */
export class DroppedObjects {
  readonly #logger = new Logger(DroppedObjects.name);
  readonly #store: ObjectStore;
  #keys: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  add(key: string): void {
    this.#keys.push(key);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS).unref();
    if (this.#keys.length >= FLUSH_AT) void this.flush();
  }

  /** Deletes all of them now. Does not reject. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const keys = this.#keys;
    this.#keys = [];
    if (keys.length === 0) return;
    await this.#store.delete(keys).catch((error: unknown) => {
      this.#logger.warn({ event: 'objects_not_dropped', count: keys.length, ...errorFields(error) });
    });
  }
}
