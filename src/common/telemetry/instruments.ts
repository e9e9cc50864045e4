import { ValueType, type Histogram, type Meter, type UpDownCounter } from '@opentelemetry/api';

/** What is measured. Durations are in seconds. */
export interface Instruments {
  readonly operationDuration: Histogram;
  readonly requestDuration: Histogram;
  readonly runsInProgress: UpDownCounter;
  readonly timeToFirstChunk: Histogram;
  readonly tokenUsage: Histogram;
}

/** The boundaries that the conventions give. */
const OF_TOKENS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];
const OF_OPERATIONS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const OF_REQUESTS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function instrumentsOf(meter: Meter): Instruments {
  const histogram = (name: string, unit: string, explicitBucketBoundaries: number[]): Histogram =>
    meter.createHistogram(name, { unit, advice: { explicitBucketBoundaries } });
  return {
    operationDuration: histogram('gen_ai.client.operation.duration', 's', OF_OPERATIONS),
    requestDuration: histogram('http.server.request.duration', 's', OF_REQUESTS),
    runsInProgress: meter.createUpDownCounter('onbehalf.runs.in_progress', {
      unit: '{run}',
      valueType: ValueType.INT,
    }),
    timeToFirstChunk: histogram('gen_ai.client.operation.time_to_first_chunk', 's', OF_OPERATIONS),
    tokenUsage: histogram('gen_ai.client.token.usage', '{token}', OF_TOKENS),
  };
}
