import { randomUUID } from 'node:crypto';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { errorFields } from '../common/errors/index.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/index.js';

const RENEWAL_MS = 2_000;
/** A renewal that takes longer is given up, so that the next one can be tried. */
const RENEWAL_TIMEOUT_MS = 3_000;
/** Others take a task for dead when its lease is older than this by the store's clock. */
export const DEAD_AFTER_MS = 7_000;
/** A task whose last renewal is older than this proves itself anew before it claims. */
const FRESH_MS = 4_000;

/**
 * The proof that this task is alive: one small object that it writes every two seconds. Only the store's clock counts, so
 * it does not matter what a task's own clock says. A task that cannot write its lease can lose its conversations to
 * another one; it finds that out at its next conditional write.
 */
@Injectable()
export class TaskLease implements OnApplicationBootstrap, OnApplicationShutdown {
  /** The name of this task in its claims. */
  readonly task = randomUUID();
  readonly #logger = new Logger(TaskLease.name);
  readonly #store: ObjectStore;
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<void> | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(@Inject(OBJECT_STORE) store: ObjectStore) {
    this.#store = store;
  }

  /** Begins to renew the lease. */
  onApplicationBootstrap(): void {
    this.#renewInBackground();
    this.#timer = setInterval(() => {
      this.#renewInBackground();
    }, RENEWAL_MS).unref();
  }

  /** The last hook: the turns of this task have been saved by then. */
  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** Resolves when the lease is fresh; a claim that is written before that could be taken for one of a dead task. */
  async fresh(): Promise<void> {
    if (performance.now() - this.#renewedAt > FRESH_MS) await this.#renew();
  }

  /** Whether another task is alive. */
  async isAlive(task: string): Promise<boolean> {
    const head = await this.#store.head(keyOf(task));
    return head !== undefined && head.ageMs < DEAD_AFTER_MS;
  }

  #renewInBackground(): void {
    this.#renew().catch((error: unknown) => {
      this.#logger.warn({ event: 'lease_not_renewed', ...errorFields(error) });
    });
  }

  /** One renewal at a time. */
  #renew(): Promise<void> {
    this.#renewal ??= this.#write().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #write(): Promise<void> {
    const begunAt = performance.now();
    const signal = AbortSignal.timeout(RENEWAL_TIMEOUT_MS);
    await this.#store.put(keyOf(this.task), '{}', { always: true }, { signal });
    this.#renewedAt = begunAt;
  }
}

function keyOf(task: string): string {
  return `tasks/${task}.json`;
}
