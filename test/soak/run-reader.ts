import { setTimeout as delay } from 'node:timers/promises';
import type { AgentEvent, ToolAnswer } from '../../local/lib/invoke.ts';
import { isEnd, type Client, type ReadEvent, type Reply } from './client.ts';
import type { Figures } from './figures.ts';
import type { Ended, SentRun } from './ledger.ts';

/** A run that its client reads. */
export interface Reading {
  readonly client: Client;
  readonly figures: Figures;
  readonly sessionId: string;
  readonly run: SentRun;
  readonly body: object;
  readonly manner: Manner;
  /** Asked after each error: the client reads no further. */
  readonly givesUp: () => boolean;
}

/** `leaves`: loses its connection after the first events. `repeats`: asks twice at once. `stops`: cancels the run. */
export type Manner = 'reads' | 'leaves' | 'repeats' | 'stops';

/** Errors after which a client tries again. */
const TRIED_AGAIN =
  /^(cut|http_\d+|session_busy|sessions_unavailable|shutting_down|sign_in_keys_unavailable|overloaded|unauthenticated)$/;
const PAUSE_MS = 200;
const LIMIT_MS = 60_000;
const FIRST_EVENTS = 3;
/** The user has declined it, which is no failure. */
const DECLINED = 'approval_declined';

/** Sends a run and reads it to its end, over every break of the connection. */
export class RunReader {
  readonly #reading: Reading;
  /** Unix milliseconds. */
  readonly #sentAt = Date.now();
  #lastId = 0;
  #hasPlayed = false;
  /** The time of the answer that brought the first event; Unix milliseconds. */
  acceptedAt: number | undefined;
  /** The last event. */
  end: AgentEvent | undefined;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  async read(): Promise<void> {
    const { run, figures, givesUp, manner } = this.#reading;
    const until = Date.now() + LIMIT_MS;
    while (run.ended === undefined && Date.now() < until) {
      const from = Date.now();
      const reply = await this.#ask();
      const failed = this.#take(reply, from);
      if (reply.kind === 'events' && reply.hasLeft && manner === 'stops') await this.#stop();
      if (failed && givesUp()) return;
      if (failed) await delay(PAUSE_MS);
    }
    if (run.ended === undefined) figures.break('runs without an end', run.runId);
  }

  async #ask(): Promise<Reply> {
    const { run, manner } = this.#reading;
    if (run.accepted) return this.#follow();
    const first = !this.#hasPlayed;
    this.#hasPlayed = true;
    if (manner === 'repeats' && first) return this.#twice();
    const leaves = first && (manner === 'leaves' || manner === 'stops');
    return this.#begin(leaves ? FIRST_EVENTS : undefined);
  }

  #begin(leaveAfter?: number, onAnswer?: () => void): Promise<Reply> {
    const { client, run, body } = this.#reading;
    const headers = { 'idempotency-key': run.runId };
    return client.ask('/invocations', {
      method: 'POST',
      headers,
      body,
      ...(leaveAfter !== undefined && { leaveAfter }),
      ...(onAnswer !== undefined && { onAnswer }),
    });
  }

  #follow(): Promise<Reply> {
    const headers = { 'last-event-id': String(this.#lastId) };
    return this.#reading.client.ask(this.#path('events'), { headers });
  }

  /** The second request comes while the first one is being answered. */
  async #twice(): Promise<Reply> {
    const { figures, run } = this.#reading;
    let second: Promise<Reply> | undefined;
    const one = await this.#begin(undefined, () => {
      second = this.#begin();
    });
    const two = await second;
    if (two === undefined) return one;
    figures.count('requests repeated');
    const [first, again] = [one, two].map((reply) => (reply.kind === 'events' ? reply.events : []));
    const areWhole = first?.some(isEnd) === true && again?.some(isEnd) === true;
    if (areWhole && !isSame(first, again)) figures.break('repeated requests with another answer', run.runId);
    return one;
  }

  async #stop(): Promise<void> {
    const { client, figures, run } = this.#reading;
    const from = Date.now();
    figures.count('runs stopped');
    const reply = await client.ask(this.#path('stop'), { method: 'POST' });
    if (reply.kind === 'error') figures.error(reply.code, { from, to: Date.now() }, `${run.runId}, stop`);
  }

  #path(what: 'events' | 'stop'): string {
    const { run, sessionId } = this.#reading;
    return `/runs/${run.runId}/${what}?sessionId=${sessionId}`;
  }

  /** @returns whether the client has to try again */
  #take(reply: Reply, from: number): boolean {
    const { run, figures } = this.#reading;
    const between = { from, to: Date.now() };
    if (reply.kind !== 'events') {
      const code = reply.kind === 'error' ? reply.code : 'answer_without_events';
      figures.error(code, between, run.runId);
      if (!TRIED_AGAIN.test(code)) run.ended = { kind: 'failed', code };
      return true;
    }
    if (reply.events.length > 0 && !run.accepted) this.acceptedAt = reply.answeredAt;
    // An event of a run can be read long after it happened.
    for (const event of reply.events) this.#takeEvent(event, { from: this.#sentAt, to: between.to });
    if (run.ended !== undefined) return false;
    if (reply.hasLeft) figures.count('disconnects');
    else figures.error('cut', between, run.runId);
    return !reply.hasLeft;
  }

  #takeEvent({ id, event }: ReadEvent, between: { readonly from: number; readonly to: number }): void {
    const { run, figures } = this.#reading;
    if (id !== this.#lastId + 1) figures.break('events out of order', `${run.runId}, event ${String(id)}`);
    this.#lastId = id;
    // One that could not begin has only an error.
    run.accepted ||= event.type !== 'RUN_ERROR';
    if (event.type === 'TEXT_MESSAGE_CONTENT') run.answer += event.delta ?? '';
    if (event.type === 'TOOL_CALL_RESULT') {
      const code = (JSON.parse(event.content ?? '{}') as ToolAnswer).error?.code;
      if (code !== undefined && code !== DECLINED) figures.error(code, between, `${run.runId}, tool`);
    }
    if (!isEnd({ id, event })) return;
    this.end = event;
    run.ended = endedBy(event);
    if (run.ended.kind === 'failed') figures.error(run.ended.code, between, run.runId);
  }
}

/**
 * Whether two readers of a run were told the same. Where its end could not be stored at once, one of them has been told that,
 * and the other one is told the end that was stored a moment later.
 */
function isSame(one: readonly ReadEvent[], other: readonly ReadEvent[]): boolean {
  const wasUnsaved = [one, other].some((events) => events.at(-1)?.event.code === 'sessions_unavailable');
  const [told, alsoTold] = [one, other].map((events) =>
    JSON.stringify(wasUnsaved ? events.slice(0, -1) : events),
  );
  return told === alsoTold;
}

function endedBy({ type, code = '', outcome }: AgentEvent): Ended {
  if (type === 'RUN_ERROR') return { kind: 'failed', code };
  const kind = outcome?.type;
  return kind === 'success' || kind === 'interrupt' || kind === 'cancelled'
    ? { kind }
    : { kind: 'failed', code: `outcome_${kind ?? 'absent'}` };
}
