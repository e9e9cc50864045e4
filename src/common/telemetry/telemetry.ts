import type { Tracer } from '@opentelemetry/api';
import type { Instruments } from './instruments.js';

/** Where telemetry goes, and what it says of the process. */
export interface TelemetryOptions {
  /** An OTLP/HTTP endpoint, without a trailing slash. */
  readonly endpoint: string;
  /** Of the resource: the name of the service and the like. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Records spans and measurements, and sends them. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly instruments: Instruments;
  /** Sends what is still to be sent. Does not reject. */
  stop(): Promise<void>;
}

let current: Telemetry | undefined;

/** Undefined if nothing is recorded. */
export function telemetry(): Telemetry | undefined {
  return current;
}

/**
 * Records with `given` from now on, or no more. OpenTelemetry's own global providers stay empty: Strands would put prompts,
 * tool results and answers into spans of theirs.
 */
export function recordWith(given: Telemetry | undefined): void {
  current = given;
}
