import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from '@opentelemetry/api';

/** A place in a trace. */
export interface Place {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The span that the work belongs to, of this process or of its caller; absent if the trace has none yet. */
  readonly span?: Span;
}

const storage = new AsyncLocalStorage<Work>();

/** A piece of work: its place in a trace, and the requests that were sent to AWS for it. */
export class Work {
  readonly place: Place | undefined;
  #requests = 0;

  constructor(place: Place | undefined) {
    this.place = place;
  }

  /** The innermost work that is being done. */
  static get current(): Work | undefined {
    return storage.getStore();
  }

  /** The requests that were sent to AWS, each attempt counted. */
  get requests(): number {
    return this.#requests;
  }

  /** Does a part of the work. */
  do<T>(part: () => T): T {
    return storage.run(this, part);
  }

  /** Counts a request to AWS that is being sent for this work. */
  countRequest(): void {
    this.#requests += 1;
  }
}

/** The work that a span stands for. */
export function workOf(span: Span): Work {
  return new Work({ traceId: span.spanContext().traceId, span });
}

/** The ids for log lines. There are none if no trace is recorded and the caller has named none. */
export function traceIds(): { readonly traceId?: string; readonly spanId?: string } {
  const place = Work.current?.place;
  if (place === undefined) return {};
  const { traceId, span } = place;
  return span === undefined ? { traceId } : { traceId, spanId: span.spanContext().spanId };
}
