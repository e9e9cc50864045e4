import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  beginSpan,
  handedIn,
  markFailed,
  NAMES,
  telemetry,
  Work,
  workOf,
  type Attributes,
} from '../telemetry/index.js';

const SERVER_ERROR = 500;

/**
 * The work of a request: its span, which ends when the answer has been sent or the connection has closed, or else the place
 * that its caller has named. The span has nothing that the client wrote: no address, but the pattern of the route.
 */
export function workOfRequest(request: FastifyRequest, { raw }: FastifyReply): Work {
  const called = new Work(handedIn(request.headers));
  const { method, protocol, routeOptions } = request;
  const { url: route } = routeOptions;
  const attributes = {
    [NAMES.method]: method,
    [NAMES.scheme]: protocol,
    ...(route !== undefined && { [NAMES.route]: route }),
  };
  const name = route === undefined ? method : `${method} ${route}`;
  const span = beginSpan(name, { kind: 'server', attributes }, called);
  if (span === undefined) return called;
  const startedAt = performance.now();
  raw.once('close', () => {
    const ended = raw.headersSent ? endedWith(raw.statusCode) : {};
    span.setAttributes(ended);
    if (raw.statusCode >= SERVER_ERROR) markFailed(span, String(raw.statusCode));
    span.end();
    const seconds = (performance.now() - startedAt) / 1000;
    telemetry()?.instruments.requestDuration.record(seconds, { ...attributes, ...ended });
  });
  return workOf(span);
}

function endedWith(status: number): Attributes {
  return {
    [NAMES.status]: status,
    ...(status >= SERVER_ERROR && { [NAMES.errorType]: String(status) }),
  };
}
