import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import {
  createOtlpHttpExportDelegate,
  httpAgentFactoryFromOptions,
} from '@opentelemetry/otlp-exporter-base/node-http';
import {
  JsonMetricsSerializer,
  JsonTraceSerializer,
  MetricsExporterMetricsHelper,
  TraceExporterMetricsHelper,
  type IExporterMetricsHelper,
  type ISerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { Logger } from '@nestjs/common';
import { instrumentsOf } from './instruments.js';
import type { Telemetry, TelemetryOptions } from './telemetry.js';
import { TraceIds } from './trace-ids.js';

const SCOPE = 'onbehalf';
const TIMEOUT_MS = 5_000;
/** A collector that does not answer does not hold up the end of the process. */
const STOP_MS = 2_000;
const CONCURRENT_EXPORTS = 4;
const SPANS_EVERY_MS = 2_000;
const METRICS_EVERY_MS = 30_000;
const MAXIMUM_SPANS = 8_192;

/** Sends traces and metrics as OTLP/HTTP JSON. This file and what it imports load OpenTelemetry's SDK. */
export function otlpTelemetry({ endpoint, attributes }: TelemetryOptions): Telemetry {
  reportFailures();
  const resource = resourceFromAttributes({ ...attributes, 'service.instance.id': randomUUID() });
  const spans = exporter(`${endpoint}/v1/traces`, JsonTraceSerializer, TraceExporterMetricsHelper);
  const traces = new TracerProvider({
    resource,
    idGenerator: new TraceIds(),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: spans,
        scheduledDelayMillis: SPANS_EVERY_MS,
        exportTimeoutMillis: TIMEOUT_MS,
        maxQueueSize: MAXIMUM_SPANS,
      }),
    ],
  });
  const metrics = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: exporter(`${endpoint}/v1/metrics`, JsonMetricsSerializer, MetricsExporterMetricsHelper),
        exportIntervalMillis: METRICS_EVERY_MS,
        exportTimeoutMillis: TIMEOUT_MS,
      }),
    ],
  });
  return {
    tracer: traces.getTracer(SCOPE),
    instruments: instrumentsOf(metrics.getMeter(SCOPE)),
    stop: async () => {
      const sent = Promise.allSettled([traces.shutdown(), metrics.shutdown()]);
      await Promise.race([sent, delay(STOP_MS, undefined, { ref: false })]);
    },
  };
}

function exporter<Items, Response>(
  url: string,
  serializer: ISerializer<Items, Response>,
  helper: IExporterMetricsHelper<Items>,
): OTLPExporterBase<Items> {
  const options = {
    url,
    headers: () => Promise.resolve({ 'content-type': 'application/json' }),
    timeoutMillis: TIMEOUT_MS,
    concurrencyLimit: CONCURRENT_EXPORTS,
    compression: 'gzip' as const,
    agentFactory: httpAgentFactoryFromOptions({ keepAlive: true }),
  };
  return new OTLPExporterBase(createOtlpHttpExportDelegate(options, serializer, SCOPE, helper, undefined));
}

/** The SDK reports that it cannot export, with texts that are not logged. */
function reportFailures(): void {
  const logger = new Logger('Telemetry');
  const report = (): void => {
    logger.warn({ event: 'telemetry_not_sent' });
  };
  const ignore = (): void => undefined;
  diag.setLogger(
    { error: report, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
}
