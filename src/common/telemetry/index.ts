/** Traces and metrics in OpenTelemetry's conventions. The only folder that imports OpenTelemetry. */
export { NAMES } from './conventions.js';
export { startTelemetry } from './start-telemetry.js';
export { telemetry } from './telemetry.js';
export { handedIn, handedOn } from './trace-headers.js';
export { beginChild, beginSpan, errorType, markFailed, traced, type Attributes } from './traced.js';
export { traceIds, Work, workOf } from './work.js';
