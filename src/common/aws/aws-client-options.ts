import { TracedRequestHandler } from './traced-request-handler.js';

const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 8_000;
/**
 * The time to connect includes the wait for a free socket. All runs of a task save at once when it is shut down, and the
 * SDK's 50 sockets are too few for that while a service is slow.
 */
const SOCKETS = 500;

/** The options of an AWS client with short answers. */
export interface AwsClientOptions {
  readonly region: string;
  readonly maxAttempts: number;
  readonly requestHandler: TracedRequestHandler;
}

/**
 * The options of an AWS client with short answers: 2 s to connect, 8 s for the head of an answer, three attempts. They do
 * not limit the time that a body takes, or all attempts together; `withDeadline` does.
 * `attempts` is 1 for a call that changes state, because a second attempt after a lost answer would look like a replay.
 * Without `keepAlive`, each call opens a new connection: an open one may be dead after the process was frozen.
 */
export function awsClientOptions(
  region: string,
  { attempts = 3, keepAlive = true }: { readonly attempts?: number; readonly keepAlive?: boolean } = {},
): AwsClientOptions {
  return {
    region,
    maxAttempts: attempts,
    requestHandler: new TracedRequestHandler({
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive, maxSockets: SOCKETS },
      httpsAgent: { keepAlive, maxSockets: SOCKETS },
    }),
  };
}
