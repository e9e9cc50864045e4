import type { HttpBrowser } from './http-browser.ts';

export interface AgentEvent {
  readonly type: string;
  readonly delta?: string;
  readonly code?: string;
  readonly message?: string;
  readonly metadata?: { readonly requestId?: string };
  readonly toolCallName?: string;
  readonly content?: string;
  readonly outcome?: { readonly type: string; readonly interrupts?: readonly AgentInterrupt[] };
}

export interface AgentInterrupt {
  readonly id: string;
  readonly reason: string;
  readonly toolCallId: string;
  readonly message?: string;
  readonly expiresAt?: string;
  readonly metadata: { readonly [key: string]: unknown; readonly connectUrl?: string };
}

export interface Invocation {
  readonly status: number;
  readonly raw: string;
  readonly events: readonly AgentEvent[];
  /** The whole text of the answer. */
  readonly text: string;
  /** What the tools have answered. */
  readonly results: readonly ToolAnswer[];
  readonly interrupts: readonly AgentInterrupt[];
  readonly last: AgentEvent | undefined;
}

export interface ToolAnswer {
  readonly data?: unknown;
  readonly note?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Sends `POST /invocations` with the session of the browser, and reads the answer to its end. */
export async function invoke(browser: HttpBrowser, publicUrl: string, body: object): Promise<Invocation> {
  const answer = await browser.request(`${publicUrl}/invocations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(body),
  });
  return toInvocation(answer.status, answer.text);
}

export function toInvocation(status: number, raw: string): Invocation {
  const events = status === 200 ? parseEvents(raw) : [];
  const last = events.at(-1);
  return {
    status,
    raw,
    events,
    text: events.map((event) => (event.type === 'TEXT_MESSAGE_CONTENT' ? (event.delta ?? '') : '')).join(''),
    results: events.flatMap((event) =>
      event.type === 'TOOL_CALL_RESULT' ? [JSON.parse(event.content ?? '') as ToolAnswer] : [],
    ),
    interrupts: last?.outcome?.interrupts ?? [],
    last,
  };
}

function parseEvents(raw: string): AgentEvent[] {
  return raw
    .split('\n\n')
    .flatMap((block) => block.split('\n').filter((line) => line.startsWith('data: ')))
    .map((line) => JSON.parse(line.slice('data: '.length)) as AgentEvent);
}
