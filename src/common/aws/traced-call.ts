import { NAMES, traced } from '../telemetry/index.js';

/** Makes a call of an AWS service within a span of its own, named as in the conventions for AWS's SDK. */
export function tracedCall<T>(service: string, operation: string, send: () => Promise<T>): Promise<T> {
  const method = `${service}/${operation}`;
  const attributes = { [NAMES.rpcSystem]: 'aws-api', [NAMES.rpcMethod]: method };
  return traced(method, { kind: 'client', attributes }, send);
}
