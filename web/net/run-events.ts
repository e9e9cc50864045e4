import type { AGUIEvent } from '@ag-ui/core';
import { call, Offline, Problem } from './api.ts';
import { serverSentEvents } from './event-stream.ts';

/** What a run is asked. */
export type RunInput =
  | { readonly message: string }
  | {
      readonly resume: readonly {
        readonly interruptId: string;
        readonly status: 'resolved' | 'cancelled';
        readonly payload?: unknown;
      }[];
    };

export interface RunPlace {
  readonly conversation: string;
  /** Names the run once, so that it can be asked for again. */
  readonly runId: string;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** The connection was lost, and is tried again; or it is there again. */
  readonly onConnection: (isLost: boolean) => void;
}

const PAUSES_MS = [300, 1_000, 2_000, 4_000, 8_000];
/** A run goes on for 30 s without a reader; after this many attempts nothing can be joined any more. */
const ATTEMPTS = 12;
const ENDS = new Set(['RUN_FINISHED', 'RUN_ERROR']);
/**
 * A load balancer or a task that is being replaced answers these for a moment; 408 says that the task has not seen the
 * request in time, and that it may be sent again (RFC 9110, section 15.5.9).
 */
const PASSING = new Set([408, 502, 503, 504]);

/**
 * The events of a run, each once, to its end: also when the connection breaks in between, at whatever task the run is.
 * @param input what begins the run; undefined joins one that has begun
 * @throws Problem | SignedOut | Offline, when it can neither be begun nor joined
 */
export async function* runEvents(
  place: RunPlace,
  input: RunInput | undefined,
  { signal, onConnection }: RunOptions,
): AsyncGenerator<AGUIEvent, void, undefined> {
  let last: string | undefined;
  let isLost = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await (last === undefined && input !== undefined
        ? begin(place, input, signal)
        : join(place, last, signal));
      if (isLost) onConnection((isLost = false));
      for await (const { id, data } of serverSentEvents(response.body ?? new ReadableStream())) {
        const event = JSON.parse(data) as AGUIEvent;
        [last, attempt] = [id ?? last, 0];
        yield event;
        if (ENDS.has(event.type)) return;
      }
    } catch (error) {
      const isPassing = error instanceof Offline || (error instanceof Problem && PASSING.has(error.status));
      const isBroken = error instanceof TypeError;
      if (signal.aborted || !(isPassing || isBroken)) throw error;
    }
    if (signal.aborted || attempt >= ATTEMPTS) throw new Offline();
    onConnection((isLost = true));
    await pause(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)] ?? 0, signal);
  }
}

/** The same key again is the same run, so this can be tried again. */
function begin({ conversation, runId }: RunPlace, input: RunInput, signal: AbortSignal): Promise<Response> {
  return call('/invocations', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'idempotency-key': runId },
    body: JSON.stringify({ sessionId: conversation, ...input }),
    signal,
  });
}

function join(
  { conversation, runId }: RunPlace,
  last: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  return call(`/runs/${encodeURIComponent(runId)}/events?sessionId=${conversation}`, {
    headers: { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) },
    signal,
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      removeEventListener('online', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener('online', end, { once: true });
    signal.addEventListener('abort', end, { once: true });
  });
}
