import { AppError } from '../../common/errors/index.js';
import type { RunName } from '../../sessions/index.js';
import type { ModelTokens } from '../strands/index.js';
import type { RunEvent } from './run-event.js';
import type { RunLog } from './run-log.js';

/** Somebody who reads the events of a run. */
export interface RunReader {
  /** Aborts when the reader has gone. */
  readonly gone: AbortSignal;
  /** Whether the run goes on for its time of grace, or is cancelled at once, when this reader was the last one. */
  readonly onDisconnect: 'continue' | 'cancel';
}

export interface RunLimits {
  readonly deadlineMs: number;
  /** So long the run goes on without a reader. */
  readonly graceMs: number;
}

/** A run of this task, from its admission to its end. */
export class RunningRun {
  readonly name: RunName;
  /** Of what the run was given. */
  readonly digest: string;
  /** Resolves when the run has ended, with what it has taken of the model; undefined where it could not begin. */
  readonly ended: Promise<ModelTokens | undefined>;
  /** Its events. @throws AppError why it could not begin */
  readonly log: Promise<RunLog<RunEvent>>;
  readonly #begin: (log: RunLog<RunEvent>) => void;
  readonly #fail: (error: unknown) => void;
  readonly #end: (tokens: ModelTokens | undefined) => void;
  readonly #controller = new AbortController();
  readonly #deadline: NodeJS.Timeout;
  readonly #graceMs: number;
  #grace: NodeJS.Timeout | undefined;
  #readers = 0;

  constructor(name: RunName, digest: string, { deadlineMs, graceMs }: RunLimits) {
    this.name = name;
    this.digest = digest;
    this.#graceMs = graceMs;
    const log = Promise.withResolvers<RunLog<RunEvent>>();
    [this.log, this.#begin, this.#fail] = [log.promise, log.resolve, log.reject];
    // The caller that starts the run is told. Often nobody else is waiting.
    this.log.catch(() => undefined);
    const ended = Promise.withResolvers<ModelTokens | undefined>();
    [this.ended, this.#end] = [ended.promise, ended.resolve];
    this.#deadline = setTimeout(() => {
      const detail = `The run was ended after ${inWords(deadlineMs)}, which is the limit. Your message is kept. Ask for less in one message.`;
      this.abort(new AppError('run_timeout', { detail }));
    }, deadlineMs);
  }

  /** Aborts when the run is to end early. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  isNamed({ sub, sessionId, runId }: RunName): boolean {
    return this.name.runId === runId && this.name.sessionId === sessionId && this.name.sub === sub;
  }

  /** @param reason the error that ends it; without one, it is cancelled */
  abort(reason?: AppError): void {
    this.#controller.abort(reason);
  }

  begin(log: RunLog<RunEvent>): void {
    this.#begin(log);
  }

  /** The run could not begin. */
  fail(error: unknown): void {
    this.#fail(error);
    this.#over(undefined);
  }

  /** @param tokens what it has taken of the model */
  end(tokens: ModelTokens): void {
    this.#over(tokens);
  }

  /** Counts a reader. When the last one has gone, the run goes on for its time of grace, and is then cancelled. */
  addReader({ gone, onDisconnect }: RunReader): void {
    this.#readers += 1;
    clearTimeout(this.#grace);
    const leave = (): void => {
      this.#readers -= 1;
      if (this.#readers > 0 || this.signal.aborted) return;
      if (onDisconnect === 'cancel' || this.#graceMs === 0) this.abort();
      else
        this.#grace = setTimeout(() => {
          this.abort();
        }, this.#graceMs).unref();
    };
    if (gone.aborted) leave();
    else gone.addEventListener('abort', leave, { once: true });
    void this.ended.then(() => {
      gone.removeEventListener('abort', leave);
    });
  }

  #over(tokens: ModelTokens | undefined): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#grace);
    this.#end(tokens);
  }
}

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds % 60 !== 0) return seconds === 1 ? '1 second' : `${String(seconds)} seconds`;
  return seconds === 60 ? '1 minute' : `${String(seconds / 60)} minutes`;
}
