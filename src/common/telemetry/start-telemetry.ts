import { recordWith, type TelemetryOptions } from './telemetry.js';

/**
 * Records traces and metrics from now on. Without options nothing is recorded, and OpenTelemetry's SDK is not loaded.
 * @returns ends that, and sends what is still to be sent
 */
export async function startTelemetry(options: TelemetryOptions | undefined): Promise<() => Promise<void>> {
  if (options === undefined) return () => Promise.resolve();
  const { otlpTelemetry } = await import('./otlp.adapter.js');
  const started = otlpTelemetry(options);
  recordWith(started);
  return async () => {
    await started.stop();
    recordWith(undefined);
  };
}
