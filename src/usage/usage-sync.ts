import { Logger } from '@nestjs/common';
import { errorFields } from '../common/errors/index.js';
import type { StoredUsage } from './stored-usage.js';
import type { UserUsage } from './user-usage.js';

/** So often at most the figures of a user are written, and those of the other tasks read. */
const EVERY_MS = 2_000;
const AFTER_FAILURE_MS = 10_000;

/** Exchanges one user's figures with the store, in the background. */
export class UsageSync {
  readonly #logger = new Logger(UsageSync.name);
  readonly #stored: StoredUsage;
  readonly #sub: string;
  readonly #usage: UserUsage;
  #hasChanged = false;
  #wantsOthers = false;
  /** An exchange is in progress, or was a moment ago. */
  #isResting = false;
  /** Writes go one after the other, so that the newest figures stay. */
  #writes: Promise<void> = Promise.resolve();

  constructor(stored: StoredUsage, sub: string, usage: UserUsage) {
    this.#stored = stored;
    this.#sub = sub;
    this.#usage = usage;
  }

  /** Writes the figures, or learns those of the other tasks: now, or two seconds after the last exchange. */
  soon(what: 'read' | 'write'): void {
    if (what === 'read') this.#wantsOthers = true;
    else this.#hasChanged = true;
    if (!this.#isResting) void this.#exchange();
  }

  /** Writes what is not written yet. The process ends, so a failure has no second try. */
  async flush(): Promise<void> {
    await this.#write().catch((error: unknown) => {
      this.#warn(error);
    });
  }

  async #exchange(): Promise<void> {
    this.#isResting = true;
    let restMs = EVERY_MS;
    try {
      await this.#write();
      if (this.#wantsOthers) await this.#learn();
    } catch (error) {
      this.#warn(error);
      restMs = AFTER_FAILURE_MS;
    }
    setTimeout(() => {
      this.#isResting = false;
      if (this.#hasChanged || this.#wantsOthers) void this.#exchange();
    }, restMs).unref();
  }

  async #learn(): Promise<void> {
    const { day } = this.#usage;
    this.#wantsOthers = false;
    const others = await this.#stored.ofOthers(this.#sub, day).catch((error: unknown) => {
      this.#wantsOthers = true;
      throw error;
    });
    if (day === this.#usage.day) this.#usage.learn(others);
  }

  #write(): Promise<void> {
    const written = this.#writes.then(async () => {
      if (!this.#hasChanged) return;
      this.#hasChanged = false;
      const { day, own } = this.#usage;
      await this.#stored.write(this.#sub, day, own).catch((error: unknown) => {
        this.#hasChanged = true;
        throw error;
      });
    });
    this.#writes = written.catch(() => undefined);
    return written;
  }

  #warn(error: unknown): void {
    this.#logger.warn({ event: 'usage_not_exchanged', ...errorFields(error) });
  }
}
