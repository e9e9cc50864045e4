import { RandomIdGenerator, type IdGenerator } from '@opentelemetry/sdk-trace';
import { Work } from './work.js';

/** A trace without a span yet has the id that the caller has named. */
export class TraceIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();

  generateTraceId(): string {
    return Work.current?.place?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#random.generateSpanId();
  }
}
