import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { annotateContext } from '../../common/context/index.js';
import { AppError } from '../../common/errors/index.js';
import { RUNS_CONFIG, type RunsConfig } from '../../config/index.js';
import type { User } from '../../identity/sign-in/index.js';
import { Conversations, type TurnInput } from '../../sessions/index.js';
import { ToolRegistry } from '../../tools/index.js';
import { Interrupts } from '../interrupts/index.js';
import { MODEL, type Model } from '../strands/index.js';
import type { RunEvent } from './run-event.js';
import type { RunInput, RunRequest } from './run-request.js';
import { Run, type RunServices } from './run.js';

/** One user cannot take the place of the others. */
const RUNS_PER_USER = 10;
const RUNS_PER_TASK = 1_500;
/** A task has 30 s from SIGTERM by default; the rest of the shutdown needs some of it. */
const SHUTDOWN_MS = 20_000;
const GAUGE_MS = 30_000;

export interface StartedRun {
  /** Read them to their end. */
  readonly events: AsyncIterable<RunEvent>;
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal;
}

interface Running {
  readonly sub: string;
  readonly controller: AbortController;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

/** Starts runs, and ends them when their time is up or the process is asked to go. */
@Injectable()
export class Runs implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  readonly #logger = new Logger(Runs.name);
  readonly #conversations: Conversations;
  readonly #services: RunServices;
  readonly #deadlineMs: number;
  readonly #running = new Set<Running>();
  #isShuttingDown = false;
  #settled: Promise<unknown> = Promise.resolve();

  constructor(
    conversations: Conversations,
    registry: ToolRegistry,
    interrupts: Interrupts,
    @Inject(MODEL) model: Model,
    @Inject(RUNS_CONFIG) { deadlineSeconds }: RunsConfig,
  ) {
    this.#deadlineMs = deadlineSeconds * 1000;
    this.#conversations = conversations;
    this.#services = { model, registry, interrupts };
  }

  /**
   * Claims the conversation and starts a run. A failure here is answered as a problem document, a later one is an event.
   * @param clientGone aborts when the client has gone: the run is then cancelled, and saved as that
   * @throws AppError
   */
  async start(user: User, request: RunRequest, clientGone: AbortSignal): Promise<StartedRun> {
    const running = this.#admit(user.sub);
    const { sessionId, runId, chosenByClient, input } = request;
    annotateContext({ sessionId, runId, chosenByClient });
    try {
      const turn = await this.#conversations.begin(user.sub, sessionId, runId, turnInputOf(input));
      const signal = AbortSignal.any([running.controller.signal, clientGone, turn.lost]);
      const run = new Run(this.#services, { user, sessionId, runId }, { input, turn, signal });
      return { events: this.#tracked(run, running), signal };
    } catch (error) {
      this.#release(running);
      throw error;
    }
  }

  /** Tells how full this task is; the deployment scales by it. */
  onApplicationBootstrap(): void {
    setInterval(() => {
      this.#logger.log({ event: 'runs_in_progress', running: this.#running.size });
    }, GAUGE_MS).unref();
  }

  /** Ends the runs, so that their streams end while the process waits for the requests in flight. */
  onModuleDestroy(): void {
    this.#isShuttingDown = true;
    const running = [...this.#running];
    for (const { controller } of running) controller.abort(new AppError('shutting_down'));
    const timer = new Promise((resolve) => setTimeout(resolve, SHUTDOWN_MS).unref());
    this.#settled = Promise.race([Promise.all(running.map(({ ended }) => ended)), timer]);
  }

  /** A run whose client has left is in flight no more, but is still saved. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#settled;
  }

  #admit(sub: string): Running {
    if (this.#isShuttingDown) throw new AppError('shutting_down');
    if (this.#running.size >= RUNS_PER_TASK) throw new AppError('overloaded');
    const own = [...this.#running].filter((running) => running.sub === sub).length;
    if (own >= RUNS_PER_USER) throw new AppError('too_many_runs');
    const { promise: ended, resolve } = Promise.withResolvers<undefined>();
    const controller = new AbortController();
    const deadline = setTimeout(() => {
      controller.abort(new AppError('run_timeout'));
    }, this.#deadlineMs);
    const end = (): void => {
      clearTimeout(deadline);
      resolve(undefined);
    };
    const running: Running = { sub, controller, ended, end };
    this.#running.add(running);
    return running;
  }

  #release(running: Running): void {
    this.#running.delete(running);
    running.end();
  }

  async *#tracked(run: Run, running: Running): AsyncGenerator<RunEvent, void, undefined> {
    const startedAt = Date.now();
    try {
      yield* run.events();
    } finally {
      this.#release(running);
      this.#logger.log({ event: 'run_ended', durationMs: Date.now() - startedAt });
    }
  }
}

function turnInputOf(input: RunInput): TurnInput {
  if (input.kind === 'message') return input;
  return { kind: 'resume', interruptIds: input.answers.map(({ interruptId }) => interruptId) };
}
