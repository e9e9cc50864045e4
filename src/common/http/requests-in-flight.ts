import type { ServerResponse } from 'node:http';
import { Injectable, type BeforeApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';

/** A task has 30 s from SIGTERM by default; the rest of the shutdown needs some of it. */
const SHUTDOWN_MS = 20_000;

/**
 * The requests that are not answered yet. The process ends only after them, or 20 s after the signal that ends it. An event
 * stream is answered at its end.
 */
@Injectable()
export class RequestsInFlight implements OnModuleDestroy, BeforeApplicationShutdown {
  readonly #answers = new Set<ServerResponse>();
  readonly #over = Promise.withResolvers<unknown>();
  #isWaiting = false;

  /** Counts a request until its answer has been sent, or its connection has closed. */
  add(answer: ServerResponse): void {
    this.#answers.add(answer);
    answer.once('close', () => {
      this.#answers.delete(answer);
      this.#check();
    });
  }

  /** The first shutdown hook: the time runs from here, also when another module waits before this one. */
  onModuleDestroy(): void {
    setTimeout(this.#over.resolve, SHUTDOWN_MS).unref();
  }

  /** Waits until every request is answered, also those that come meanwhile. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#isWaiting = true;
    this.#check();
    await this.#over.promise;
  }

  #check(): void {
    if (this.#isWaiting && this.#answers.size === 0) this.#over.resolve(undefined);
  }
}
