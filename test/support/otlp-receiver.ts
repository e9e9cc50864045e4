import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { FaultSwitch } from '../../local/lib/faults.ts';
import { readBody, sendJson, serve } from '../../local/lib/http.ts';

const attribute = z.object({
  key: z.string(),
  value: z
    .object({ stringValue: z.string(), intValue: z.coerce.number(), doubleValue: z.number() })
    .partial()
    .transform(({ stringValue, intValue, doubleValue }) => stringValue ?? intValue ?? doubleValue),
});
const attributes = z
  .array(attribute)
  .default([])
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value])));
const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  attributes,
  status: z.object({ code: z.number().default(0) }),
});
const traces = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ scope: z.object({ name: z.string() }), spans: z.array(span) })),
    }),
  ),
});
const point = z.object({ attributes, sum: z.number().optional(), asInt: z.coerce.number().optional() });
const metric = z
  .object({
    name: z.string(),
    unit: z.string(),
    histogram: z.object({ dataPoints: z.array(point) }).optional(),
    sum: z.object({ dataPoints: z.array(point) }).optional(),
  })
  .transform(({ name, unit, histogram, sum }) => ({
    name,
    unit,
    points: (histogram ?? sum)?.dataPoints ?? [],
  }));
const metrics = z.object({
  resourceMetrics: z.array(z.object({ scopeMetrics: z.array(z.object({ metrics: z.array(metric) })) })),
});

export type ReceivedSpan = z.output<typeof span>;
export type ReceivedMetric = z.output<typeof metric>;

/** A receiver of OTLP over HTTP, with everything that it has received. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  readonly metrics: readonly ReceivedMetric[];
  /** The attributes of the last resource that sent spans. */
  readonly resource: () => Readonly<Record<string, unknown>>;
  /** The instrumentation scopes of the spans. */
  readonly scopes: ReadonlySet<string>;
  /** Every byte of the bodies, decompressed. */
  readonly bytes: () => Buffer;
  readonly faults: FaultSwitch;
  close(): Promise<void>;
}

/** Starts a receiver on loopback. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const faults = new FaultSwitch();
  const bodies: Buffer[] = [];
  const spans: ReceivedSpan[] = [];
  const received: ReceivedMetric[] = [];
  const scopes = new Set<string>();
  let resource: Readonly<Record<string, unknown>> = {};
  const serving = await serve(async (request, response) => {
    const body = await readBody(request);
    const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    bodies.push(plain);
    const parsed: unknown = JSON.parse(plain.toString('utf8'));
    if (request.url === '/v1/traces') {
      for (const each of traces.parse(parsed).resourceSpans) {
        resource = each.resource.attributes;
        for (const { scope, spans: more } of each.scopeSpans) {
          scopes.add(scope.name);
          spans.push(...more);
        }
      }
    } else {
      for (const { scopeMetrics } of metrics.parse(parsed).resourceMetrics)
        received.push(...scopeMetrics.flatMap((scope) => scope.metrics));
    }
    sendJson(response, 200, {});
  }, faults);
  const all = { spans, metrics: received, scopes, faults };
  return {
    url: serving.url,
    ...all,
    resource: () => resource,
    bytes: () => Buffer.concat(bodies),
    close: () => serving.close(),
  };
}
