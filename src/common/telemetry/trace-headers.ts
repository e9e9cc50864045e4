import { trace, TraceFlags, type Span } from '@opentelemetry/api';
import { Work, type Place } from './work.js';

/** The headers of a request, as Node.js gives them. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** https://www.w3.org/TR/trace-context/#traceparent-header. Later versions may have more parts. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const AWS_ROOT = /^1-([\da-f]{8})-([\da-f]{24})$/;
const SPAN_ID = /^(?!0{16})[\da-f]{16}$/;

/**
 * The place that the caller has named: by `traceparent`, or else by `x-amzn-trace-id`, where a load balancer names a trace
 * without a span. `tracestate` and `baggage` are not read, because they can contain any text.
 */
export function handedIn(headers: IncomingHeaders): Place | undefined {
  return ofTraceparent(headers.traceparent) ?? ofAws(headers['x-amzn-trace-id']);
}

/** The headers that name the present place to an AWS service. There are none outside a trace. */
export function handedOn(): Readonly<Record<string, string>> {
  const place = Work.current?.place;
  if (place === undefined) return {};
  const { traceId, span } = place;
  const root = `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
  if (span === undefined) return { 'x-amzn-trace-id': root };
  const { spanId, traceFlags } = span.spanContext();
  const sampled = traceFlags & TraceFlags.SAMPLED;
  return {
    traceparent: `00-${traceId}-${spanId}-0${String(sampled)}`,
    'x-amzn-trace-id': `${root};Parent=${spanId};Sampled=${String(sampled)}`,
  };
}

function ofTraceparent(header: IncomingHeaders[string]): Place | undefined {
  if (typeof header !== 'string') return undefined;
  const [, version, traceId, spanId, flags = '', more] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & TraceFlags.SAMPLED) !== 0;
  return { traceId, span: callersSpan(traceId, spanId, isSampled) };
}

/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function ofAws(header: IncomingHeaders[string]): Place | undefined {
  if (typeof header !== 'string') return undefined;
  const fields = new Map(
    header.split(';').map((field): [string, string] => {
      const [name = '', value = ''] = field.trim().split('=', 2);
      return [name, value];
    }),
  );
  const [, seconds, unique] = AWS_ROOT.exec(fields.get('Root') ?? '') ?? [];
  if (seconds === undefined || unique === undefined) return undefined;
  const traceId = seconds + unique;
  const parent = fields.get('Parent') ?? '';
  if (!SPAN_ID.test(parent)) return { traceId };
  return { traceId, span: callersSpan(traceId, parent, fields.get('Sampled') !== '0') };
}

function callersSpan(traceId: string, spanId: string, isSampled: boolean): Span {
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.wrapSpanContext({ traceId, spanId, traceFlags, isRemote: true });
}
