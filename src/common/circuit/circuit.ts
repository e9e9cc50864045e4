import { Logger } from '@nestjs/common';
import { requestContext } from '../context/index.js';
import { outcomeOf } from './outcome.js';

const FAILURES_TO_OPEN = 5;
/** A failure that one user alone meets can come from that user's own data. */
const USERS_TO_OPEN = 2;
/** Short, so that the lease of a task is renewed in time when the store answers again. */
const PROBE_MS = 1_000;

/** The dependency has failed several times in a row, so it was not called. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
}

/**
 * Answers at once in the place of a dependency that is down. It opens after five failures in a row that at least two users
 * have met; calls without a user count as those of one more. While it is open, one call a second is made. The first answer
 * closes it. A failure is a timeout, a connection that breaks, or a status from 500 on.
 */
export class Circuit {
  readonly #logger = new Logger(Circuit.name);
  readonly #dependency: string;
  readonly #users = new Set<string | undefined>();
  #failures = 0;
  #openedAt: number | undefined;
  #nextProbeAt = 0;

  /** @param dependency its name in the log */
  constructor(dependency: string) {
    this.#dependency = dependency;
  }

  /**
   * Does some work that calls the dependency.
   * @param caller a failure after it has aborted says nothing of the dependency
   * @throws CircuitOpenError, or what the work throws
   */
  async call<T>(caller: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    this.#enter();
    try {
      const result = await work();
      this.#answered();
      return result;
    } catch (error) {
      if (caller?.aborted !== true) this.#heed(error);
      throw error;
    }
  }

  #enter(): void {
    if (this.#openedAt === undefined) return;
    const now = performance.now();
    if (now < this.#nextProbeAt) throw new CircuitOpenError();
    this.#nextProbeAt = now + PROBE_MS;
  }

  #heed(error: unknown): void {
    const outcome = outcomeOf(error);
    if (outcome === 'answered') this.#answered();
    if (outcome !== 'failed') return;
    this.#failures += 1;
    if (this.#users.size < USERS_TO_OPEN) this.#users.add(requestContext()?.user);
    const isDown = this.#failures >= FAILURES_TO_OPEN && this.#users.size >= USERS_TO_OPEN;
    if (!isDown || this.#openedAt !== undefined) return;
    this.#openedAt = performance.now();
    this.#nextProbeAt = this.#openedAt + PROBE_MS;
    this.#logger.warn({ event: 'circuit_opened', dependency: this.#dependency });
  }

  #answered(): void {
    this.#failures = 0;
    this.#users.clear();
    if (this.#openedAt === undefined) return;
    const openMs = Math.round(performance.now() - this.#openedAt);
    this.#openedAt = undefined;
    this.#logger.warn({ event: 'circuit_closed', dependency: this.#dependency, openMs });
  }
}
