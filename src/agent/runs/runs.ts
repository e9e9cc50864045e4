import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { annotateContext } from '../../common/context/index.js';
import { AppError, errorFields } from '../../common/errors/index.js';
import { telemetry } from '../../common/telemetry/index.js';
import { RUNS_CONFIG, type RunsConfig } from '../../config/index.js';
import type { User } from '../../identity/sign-in/index.js';
import {
  Conversations,
  SharedRuns,
  type FoundRun,
  type RunName,
  type TurnRequest,
} from '../../sessions/index.js';
import { ToolRegistry } from '../../tools/index.js';
import { Usage } from '../../usage/index.js';
import { Interrupts } from '../interrupts/index.js';
import { MODEL, type Model } from '../strands/index.js';
import { OtherTasks } from './other-tasks.js';
import type { RunEvent } from './run-event.js';
import { RunLog } from './run-log.js';
import { RunReport } from './run-report.js';
import { turnRequestOf, type RunRequest } from './run-request.js';
import { Run, type RunServices } from './run.js';
import { Summaries } from './summaries.js';
import { RunningRun, type RunLimits, type RunReader } from './running-run.js';

/** A task has 30 s from SIGTERM by default; the rest of the shutdown needs some of it. */
const SHUTDOWN_MS = 20_000;
const GAUGE_MS = 30_000;
const WISHES_MS = 1_000;
/** The claim of a conversation can be lost to a task that only stores a summary, or has finished by the next attempt. */
const ATTEMPTS = 3;
/** So long after its last wish, another task still counts as a reader. */
const FOLLOWED_MS = 6_000;

export interface StartedRun {
  /** From the first one on. They end with the run, or when the reader has gone. */
  readonly events: AsyncIterable<RunEvent>;
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal;
}

/** A run that is asked for, its turn, and the place that it has at this task. */
interface AskedRun {
  readonly request: RunRequest;
  readonly turn: TurnRequest;
  readonly running: RunningRun;
  readonly attempt: number;
}

/** Starts runs, and ends them when their time is up or the process is asked to go. */
@Injectable()
export class Runs implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  readonly #logger = new Logger(Runs.name);
  readonly #conversations: Conversations;
  readonly #others: OtherTasks;
  readonly #shared: SharedRuns;
  readonly #services: RunServices;
  readonly #usage: Usage;
  readonly #summaries: Summaries;
  readonly #perTask: number;
  readonly #limits: RunLimits;
  readonly #running = new Set<RunningRun>();
  #isShuttingDown = false;
  #settled: Promise<unknown> = Promise.resolve();

  constructor(
    conversations: Conversations,
    shared: SharedRuns,
    others: OtherTasks,
    registry: ToolRegistry,
    interrupts: Interrupts,
    usage: Usage,
    summaries: Summaries,
    @Inject(MODEL) model: Model,
    @Inject(RUNS_CONFIG) { deadlineSeconds, graceSeconds, modelCalls, perTask }: RunsConfig,
  ) {
    this.#limits = { deadlineMs: deadlineSeconds * 1000, graceMs: graceSeconds * 1000 };
    this.#conversations = conversations;
    this.#others = others;
    this.#shared = shared;
    this.#usage = usage;
    this.#summaries = summaries;
    this.#perTask = perTask;
    this.#services = { model, registry, interrupts, modelCalls };
  }

  /**
   * Claims the conversation and starts a run. Its id names it once: the same one again is the same run, with all its events.
   * A failure here is answered as a problem document, a later one is an event.
   * @throws AppError
   */
  async start(user: User, request: RunRequest, reader: RunReader): Promise<StartedRun> {
    const { sessionId, runId, chosenByClient } = request;
    annotateContext({ sessionId, runId, chosenByClient });
    const name = { sub: user.sub, sessionId, runId };
    const turn = turnRequestOf(request);
    const own = this.#own(name);
    if (own !== undefined) {
      if (own.digest !== turn.digest) throw new AppError('run_id_used');
      return this.#read(own, reader);
    }
    const running = this.#admit(name, turn.digest);
    try {
      const found = await this.#begin(user, { request, turn, running, attempt: 1 });
      if (found === undefined) return await this.#read(running, reader);
      running.fail(new AppError('run_not_found'));
      return await this.#elsewhere(name, found, reader);
    } catch (error) {
      running.fail(error);
      throw error;
    }
  }

  /**
   * The events of a run, from the first one on: one of this task, of another one, or the last one of its conversation.
   * @throws AppError `run_not_found` | `session_not_found`
   */
  async follow(name: RunName, reader: RunReader): Promise<StartedRun> {
    const own = this.#own(name);
    if (own !== undefined) return this.#read(own, reader);
    return this.#elsewhere(name, await this.#conversations.run(name), reader);
  }

  /** Cancels a run, wherever it is. @throws AppError `run_not_found` | `session_not_found` */
  async stop(name: RunName): Promise<void> {
    const own = this.#own(name);
    if (own === undefined) await this.#others.stop(name);
    else own.abort();
  }

  /** Tells how full this task is, by which the deployment scales; and does what other tasks ask for. */
  onApplicationBootstrap(): void {
    setInterval(() => {
      this.#logger.log({ event: 'runs_in_progress', running: this.#running.size });
    }, GAUGE_MS).unref();
    setInterval(() => {
      if (this.#running.size > 0) void this.#fulfilWishes();
    }, WISHES_MS).unref();
  }

  /** Ends the runs, so that their streams end while the process waits for the requests in flight. */
  onModuleDestroy(): void {
    this.#isShuttingDown = true;
    const running = [...this.#running];
    for (const run of running) run.abort(new AppError('shutting_down'));
    const timer = new Promise((resolve) => setTimeout(resolve, SHUTDOWN_MS).unref());
    this.#settled = Promise.race([Promise.all(running.map(({ ended }) => ended)), timer]);
  }

  /** A run whose client has left is in flight no more, but is still saved. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#settled;
    await this.#usage.flush();
  }

  #own(name: RunName): RunningRun | undefined {
    return [...this.#running].find((running) => running.isNamed(name));
  }

  async #read(running: RunningRun, reader: RunReader): Promise<StartedRun> {
    const log = await running.log;
    running.addReader(reader);
    return { events: log.read(reader.gone), signal: running.signal };
  }

  async #elsewhere(name: RunName, found: FoundRun, { gone }: RunReader): Promise<StartedRun> {
    return { events: await this.#others.follow(name, found, gone), signal: gone };
  }

  #admit(name: RunName, digest: string): RunningRun {
    if (this.#isShuttingDown) throw new AppError('shutting_down');
    if (this.#running.size >= this.#perTask) throw new AppError('overloaded');
    const used = this.#usage.begin(name.sub);
    const running = new RunningRun(name, digest, this.#limits);
    this.#running.add(running);
    telemetry()?.instruments.runsInProgress.add(1);
    void running.ended.then((taken) => {
      this.#running.delete(running);
      used.end(taken);
      telemetry()?.instruments.runsInProgress.add(-1);
    });
    return running;
  }

  /**
   * The model is asked at once. The run is given to its reader when its claim holds, and dropped where it does not.
   * @returns the run that the request repeats; undefined for a new one
   */
  async #begin(user: User, asked: AskedRun): Promise<FoundRun | undefined> {
    const { running } = asked;
    const { sessionId, runId, input } = asked.request;
    const begun = await this.#conversations.begin(user.sub, sessionId, asked.turn);
    if (begun.kind !== 'new') return begun;
    const { turn } = begun;
    const drop = new AbortController();
    const signal = AbortSignal.any([running.signal, turn.lost, drop.signal]);
    const report = new RunReport(this.#services.model);
    const services = { ...this.#services, model: report.model };
    const run = new Run(services, { user, sessionId, runId }, { input, turn, signal });
    const ended = Promise.withResolvers<Readonly<Record<string, unknown>>>();
    const log = report.during(
      () =>
        new RunLog(run.events(), () => {
          ended.resolve(report.end(log.events.at(-1)));
        }),
    );
    try {
      await turn.claimed;
    } catch (error) {
      drop.abort(error);
      // Another task was faster; or the memory of this one is out of date, and the conversation is read the next time.
      if (isLostRace(error) && asked.attempt < ATTEMPTS)
        return await this.#begin(user, { ...asked, attempt: asked.attempt + 1 });
      throw error;
    }
    running.begin(log);
    void ended.promise.then((fields) => {
      const { inputTokens, outputTokens } = report.model.usage;
      running.end({ inputTokens, outputTokens });
      this.#logger.log({ event: 'run_ended', ...fields });
      void this.#summaries.afterRun(user, sessionId);
    });
    return undefined;
  }

  /** A task that follows a run says so again and again, and counts as a reader for a while each time. */
  #share(running: RunningRun): void {
    running.addReader({ gone: AbortSignal.timeout(FOLLOWED_MS), onDisconnect: 'continue' });
    void running.log.then((log) => this.#others.publish(running.name, log));
  }

  async #fulfilWishes(): Promise<void> {
    try {
      for (const { what, ...name } of await this.#shared.wishes()) {
        const own = this.#own(name);
        if (what === 'stop') own?.abort();
        else if (own !== undefined) this.#share(own);
      }
    } catch (error) {
      this.#logger.warn({ event: 'wishes_not_read', ...errorFields(error) });
    }
  }
}

function isLostRace(error: unknown): boolean {
  return error instanceof AppError && error.reason === 'claim_lost';
}
