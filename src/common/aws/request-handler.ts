import { NodeHttpHandler } from '@smithy/node-http-handler';

const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 8_000;

/**
 * The connections of an AWS client with short answers: 2 s to connect, 8 s for the head of an answer.
 * @param keepAlive false opens a new connection for each call, because an open connection may be dead after the process was
 * frozen
 */
export function requestHandler(keepAlive = true): NodeHttpHandler {
  return new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive },
    httpsAgent: { keepAlive },
  });
}
