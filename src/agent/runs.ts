import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { AGUIEvent } from '@ag-ui/core';
import type { Model } from '@strands-agents/sdk';
import { AppError } from '../common/errors/index.js';
import { annotateContext } from '../common/context/index.js';
import { FlowTickets, type User } from '../identity/index.js';
import { Conversations } from '../sessions/index.js';
import { ToolRegistry } from '../tools/index.js';
import type { RunRequest } from './invocation.request.js';
import { MODEL } from './model/model.js';
import { Run, type RunServices } from './run.js';

export interface StartedRun {
  readonly events: AsyncIterable<AGUIEvent>;
  /** Stops the model and the tools; the run still comes to its end, and is saved as cancelled. */
  cancel(): void;
}

/** A task has 30 s from SIGTERM by default; the rest of the shutdown needs some of it. */
const SHUTDOWN_MS = 20_000;

/** Starts runs, and ends them when the process is asked to go. */
@Injectable()
export class Runs implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Runs');
  readonly #conversations: Conversations;
  readonly #services: RunServices;
  readonly #running = new Map<AbortController, Promise<void>>();
  #closing = false;

  constructor(
    conversations: Conversations,
    registry: ToolRegistry,
    tickets: FlowTickets,
    @Inject(MODEL) model: Model,
  ) {
    this.#conversations = conversations;
    this.#services = { model, registry, tickets };
  }

  /**
   * Claims the conversation and starts a run. What goes wrong here is answered as a problem document; what goes wrong
   * later is told by a RUN_ERROR event.
   * @throws AppError
   */
  async start(user: User, request: RunRequest): Promise<StartedRun> {
    if (this.#closing) throw new AppError('shutting_down');
    const { sessionId, runId, input } = request;
    annotateContext({ sessionId, runId });
    const turnInput =
      input.kind === 'message'
        ? input
        : ({ kind: 'resume', interruptIds: input.answers.map(({ interruptId }) => interruptId) } as const);
    const turn = await this.#conversations.begin(user.sub, sessionId, runId, turnInput);
    const controller = new AbortController();
    const run = new Run(this.#services, user, request, turn, controller.signal);
    return {
      events: this.#tracked(run, controller),
      cancel: () => {
        controller.abort();
      },
    };
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#closing = true;
    for (const controller of this.#running.keys()) controller.abort(new AppError('shutting_down'));
    const timer = new Promise((resolve) => setTimeout(resolve, SHUTDOWN_MS).unref());
    await Promise.race([Promise.all(this.#running.values()), timer]);
  }

  async *#tracked(run: Run, controller: AbortController): AsyncGenerator<AGUIEvent, void, undefined> {
    const startedAt = Date.now();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#running.set(controller, promise);
    try {
      yield* run.events();
    } finally {
      this.#running.delete(controller);
      resolve(undefined);
      this.#logger.log({ event: 'run_ended', durationMs: Date.now() - startedAt });
    }
  }
}
