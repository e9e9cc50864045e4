import type { AgentEvent } from '../../local/lib/invoke.ts';

/** What a request was answered: events, a whole answer without events, an error by its code, or a broken connection. */
export type Reply =
  | {
      readonly kind: 'events';
      readonly events: readonly ReadEvent[];
      /** Unix milliseconds. */
      readonly answeredAt: number;
      /** The client has left, as it was told to. */
      readonly hasLeft: boolean;
    }
  | { readonly kind: 'whole'; readonly text: string }
  | { readonly kind: 'error'; readonly code: string };

export interface ReadEvent {
  readonly id: number;
  readonly event: AgentEvent;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Leaves after so many events. */
  readonly leaveAfter?: number;
  /** Called at the first byte of an answer with events. */
  readonly onAnswer?: () => void;
}

/** Longer than every deadline of a run in a soak. */
const GIVE_UP_MS = 60_000;

/** A signed-in user's client of the application. */
export class Client {
  readonly #base: string;
  readonly #cookie: string;

  constructor(base: string, cookie: string) {
    this.#base = base;
    this.#cookie = cookie;
  }

  async ask(
    path: string,
    { method = 'GET', headers = {}, body, leaveAfter, onAnswer }: Asked = {},
  ): Promise<Reply> {
    const leaving = new AbortController();
    const signal = AbortSignal.any([leaving.signal, AbortSignal.timeout(GIVE_UP_MS)]);
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    try {
      const response = await fetch(this.#base + path, {
        method,
        signal,
        headers: { cookie: this.#cookie, ...json, ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
        return toReply(response.status, await response.text());
      onAnswer?.();
      const answeredAt = Date.now();
      const events = await readEvents(response, leaveAfter);
      const hasLeft = leaveAfter !== undefined && events.length >= leaveAfter;
      leaving.abort();
      return { kind: 'events', events, answeredAt, hasLeft };
    } catch {
      return { kind: 'error', code: 'cut' };
    }
  }
}

/** Whether an event ends its run. */
export function isEnd({ event }: ReadEvent): boolean {
  return event.type === 'RUN_FINISHED' || event.type === 'RUN_ERROR';
}

/** The events up to the end of the stream, to a break of the connection, or until there are enough. */
async function readEvents(response: Response, enough = Infinity): Promise<readonly ReadEvent[]> {
  const decoder = new TextDecoder();
  const events: ReadEvent[] = [];
  let rest = '';
  try {
    for await (const chunk of response.body ?? []) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      events.push(...blocks.flatMap(eventOf));
      if (events.length >= enough) break;
    }
  } catch {
    // Its reader continues after the last event that came.
  }
  return events;
}

function eventOf(block: string): ReadEvent[] {
  const [, id, data] = /^id: (\d+)\ndata: (.*)$/s.exec(block) ?? [];
  return id === undefined || data === undefined
    ? []
    : [{ id: Number(id), event: JSON.parse(data) as AgentEvent }];
}

function toReply(status: number, text: string): Reply {
  if (status >= 200 && status < 300) return { kind: 'whole', text };
  const code = /"type":"urn:onbehalf:error:\w+".*"code":"(\w+)"/.exec(text)?.[1];
  return { kind: 'error', code: code ?? `http_${String(status)}` };
}
