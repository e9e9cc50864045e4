import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { instrumentsOf } from '../instruments.js';
import { recordWith } from '../telemetry.js';
import { TraceIds } from '../trace-ids.js';

/** A span that has ended. */
export interface RecordedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

export interface RecordedTelemetry {
  readonly spans: () => readonly RecordedSpan[];
  /** The attributes of the measurements of one instrument. */
  readonly measured: (instrument: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Nothing is recorded any more. */
  readonly stop: () => Promise<void>;
}

const FAILED = 2;

/** Records spans and measurements in memory, for tests, until `stop`. */
export function recordedTelemetry(): RecordedTelemetry {
  const ended = new InMemorySpanExporter();
  const traces = new TracerProvider({
    idGenerator: new TraceIds(),
    spanProcessors: [new SimpleSpanProcessor({ exporter: ended })],
  });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const metrics = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  const stop = async (): Promise<void> => {
    recordWith(undefined);
    await Promise.all([traces.shutdown(), metrics.shutdown()]);
  };
  recordWith({
    tracer: traces.getTracer('test'),
    instruments: instrumentsOf(metrics.getMeter('test')),
    stop,
  });
  return {
    spans: () =>
      ended.getFinishedSpans().map((span) => ({
        name: span.name,
        ...span.spanContext(),
        parentId: span.parentSpanContext?.spanId,
        attributes: span.attributes,
        failed: (span.status.code as number) === FAILED,
      })),
    measured: async (instrument) => {
      await metrics.forceFlush();
      const all =
        exporter
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
      return all
        .filter(({ descriptor }) => descriptor.name === instrument)
        .flatMap(({ dataPoints }) => dataPoints.map(({ attributes }) => attributes));
    },
    stop,
  };
}
