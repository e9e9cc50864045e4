import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { AppError, errorFields } from '../../common/errors/index.js';
import { Conversations, SharedRuns, type FoundRun, type RunName } from '../../sessions/index.js';
import type { RunEvent } from './run-event.js';
import type { RunLog } from './run-log.js';
import { isEnd, runEventsOf, storedRunEvent } from './stored-run-events.js';

/** How often a follower looks for new events, and the owner of a run writes them. */
const EVENTS_EVERY_MS = 500;
/** How many looks pass before a follower makes sure that the run is still in progress. */
const LOOKS_BEFORE_CHECK = 4;

/** The runs of other tasks, and those that have ended, read from the store. */
@Injectable()
export class OtherTasks {
  readonly #logger = new Logger(OtherTasks.name);
  readonly #conversations: Conversations;
  readonly #shared: SharedRuns;
  readonly #published = new WeakSet<RunLog<RunEvent>>();

  constructor(conversations: Conversations, shared: SharedRuns) {
    this.#conversations = conversations;
    this.#shared = shared;
  }

  /** The events of a run that is not of this task, from the first one on. @throws AppError `sessions_unavailable` */
  async follow(name: RunName, found: FoundRun, gone: AbortSignal): Promise<AsyncIterable<RunEvent>> {
    if (found.kind === 'running') await this.#shared.ask(found.task, 'follow', name);
    return this.#events(name, found, gone);
  }

  /** Asks the task that has a run to cancel it. One that has ended is no error. @throws AppError `run_not_found` */
  async stop(name: RunName): Promise<void> {
    const found = await this.#conversations.run(name);
    if (found.kind === 'running') await this.#shared.ask(found.task, 'stop', name);
  }

  /** Writes the events of a run of this task until its end, because another task follows it. */
  async publish(name: RunName, log: RunLog<RunEvent>): Promise<void> {
    if (this.#published.has(log)) return;
    this.#published.add(log);
    let written = -1;
    for (let hasEnded = false; !hasEnded;) {
      ({ hasEnded } = log);
      const { events } = log;
      if (events.length > written || hasEnded) {
        written = events.length;
        await this.#shared.publish(name, events.map(storedRunEvent), hasEnded).catch((error: unknown) => {
          written = -1;
          this.#logger.warn({ event: 'run_not_published', ...errorFields(error) });
        });
      }
      if (!hasEnded) await delay(EVENTS_EVERY_MS);
    }
  }

  /**
   * Whether the run is still in progress; it is followed further then. While the store does not answer, it is. Undefined
   * where the conversation knows of no such run any more.
   */
  async #again(name: RunName, before: FoundRun): Promise<FoundRun | undefined> {
    try {
      const now = await this.#conversations.run(name);
      if (now.kind === 'running') await this.#shared.ask(now.task, 'follow', name);
      return now;
    } catch (error) {
      if (error instanceof AppError && error.code === 'sessions_unavailable') return before;
      return undefined;
    }
  }

  async *#events(
    name: RunName,
    found: FoundRun,
    gone: AbortSignal,
  ): AsyncGenerator<RunEvent, void, undefined> {
    let sent = 0;
    let now: FoundRun | undefined = found;
    for (let look = 1; now?.kind === 'running' && !gone.aborted; look += 1) {
      // The next look can succeed where this one fails, so the reader is not cut off.
      const { events, hasEnded } = await this.#shared.published(name).catch(() => NOTHING_NEW);
      yield* runEventsOf(events.slice(sent));
      sent = Math.max(sent, events.length);
      if (hasEnded) return;
      await delay(EVENTS_EVERY_MS, undefined, { signal: gone }).catch(() => undefined);
      if (look % LOOKS_BEFORE_CHECK !== 0) continue;
      now = await this.#again(name, now);
    }
    if (now?.kind === 'running') return;
    // A task that died has left what it has published.
    const events = now?.run.events ?? (await this.#shared.published(name)).events;
    // A claim that the store has taken without saying so is given back: the run has not begun, and can be tried again.
    if (now === undefined && events.length === 0)
      yield { kind: 'failed', error: new AppError('sessions_unavailable') };
    else yield* ending(runEventsOf(events), sent);
  }
}

const NOTHING_NEW = { events: [], hasEnded: false };

/** The events of a run that has ended, after those that were sent. One whose events are lost ends with that. */
function ending(events: readonly RunEvent[], sent: number): readonly RunEvent[] {
  const last = events.at(-1);
  if (last !== undefined && isEnd(last)) return events.slice(sent);
  const known: readonly RunEvent[] = events.length === 0 ? [{ kind: 'started' }] : events;
  return [...known, { kind: 'failed', error: new AppError('run_lost') } as const].slice(sent);
}
