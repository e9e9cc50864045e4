import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The behaviour of a part instead of its answer, or before it. */
export type Fault =
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  /** Sends the head of an answer and one byte, and nothing more. */
  | { readonly kind: 'stall' }
  /** Sends the head of an answer, and then a byte every so often. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** Breaks the connection in the middle of an answer. */
  | { readonly kind: 'truncate' }
  /** Does what it is asked for, and breaks the connection instead of answering. */
  | { readonly kind: 'unanswered' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** Answers, but tells a time that is so far ahead. */
  | { readonly kind: 'clock'; readonly ms: number }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

const TRUNCATED_AFTER_MS = 10;

/** A planned fault: the number of requests that it still applies to, and the number of requests that have met it. */
export interface PlannedFault {
  readonly id: string;
  readonly path: RegExp;
  readonly fault: Fault;
  /** The switch of the fault board that planned it; absent when it was planned on its own. */
  readonly plannedBy?: string;
  remaining: number;
  met: number;
}

/** Plans faults for future requests. Each part of the local stack has one instance. */
export class FaultSwitch {
  private readonly planned: PlannedFault[] = [];
  /** The number of requests so far. */
  requests = 0;

  /** The next `times` requests whose `METHOD /path` matches get this fault instead of an answer. */
  plan(path: RegExp, fault: Fault, times = Number.POSITIVE_INFINITY, plannedBy?: string): PlannedFault {
    const by = plannedBy === undefined ? {} : { plannedBy };
    const planned = { id: randomUUID(), path, fault, remaining: times, met: 0, ...by };
    this.planned.push(planned);
    return planned;
  }

  /** Every planned fault, also one that no more requests can meet. */
  list(): readonly PlannedFault[] {
    return [...this.planned];
  }

  /** Removes the faults that a condition holds for, and returns how many there were. */
  remove(holds: (fault: PlannedFault) => boolean): number {
    const kept = this.planned.filter((fault) => !holds(fault));
    const removed = this.planned.length - kept.length;
    this.planned.splice(0, this.planned.length, ...kept);
    return removed;
  }

  clear(): void {
    this.planned.length = 0;
  }

  /** Applies a planned fault. Resolves with true when the request has been answered. */
  async apply(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    this.requests += 1;
    const line = `${request.method ?? ''} ${request.url ?? ''}`;
    const match = this.planned.find((entry) => entry.remaining > 0 && entry.path.test(line));
    if (match === undefined) return false;
    match.remaining -= 1;
    match.met += 1;
    const { fault } = match;
    switch (fault.kind) {
      case 'reset':
        request.socket.destroy();
        return true;
      case 'hang':
        request.resume();
        return true;
      case 'stall':
      case 'drip':
      case 'truncate':
        request.resume();
        beginAnswer(response, fault);
        return true;
      case 'unanswered':
        response.end = () => {
          response.destroy();
          return response;
        };
        return false;
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
        return false;
      case 'clock':
        response.setHeader('date', new Date(Date.now() + fault.ms).toUTCString());
        return false;
      case 'answer':
        request.resume();
        response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
        response.end(fault.body ?? '');
        return true;
    }
  }
}

/** The head of an answer, and as much of its body as the fault lets through. */
function beginAnswer(
  response: ServerResponse,
  fault: Extract<Fault, { readonly kind: 'stall' | 'drip' | 'truncate' }>,
): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' });
  response.write('{');
  if (fault.kind === 'truncate') setTimeout(() => response.destroy(), TRUNCATED_AFTER_MS);
  if (fault.kind !== 'drip') return;
  const dripping = setInterval(() => response.write(' '), fault.everyMs);
  response.on('close', () => {
    clearInterval(dripping);
  });
}
