import type { FastifyInstance, FastifyRequest } from 'fastify';
import { runInContext } from '../context/index.js';
import { AppError } from '../errors/index.js';
import { Work } from '../telemetry/index.js';
import { isProbe } from './probes.js';
import { logWhenEnded } from './request-line.js';
import { workOfRequest } from './request-work.js';
import type { RequestsInFlight } from './requests-in-flight.js';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** The hooks that run for every request before its body is read. */
export function addRequestHooks(
  fastify: FastifyInstance,
  publicUrl: string,
  inFlight: RequestsInFlight,
): void {
  const encrypted = publicUrl.startsWith('https:');
  fastify.addHook('onRequest', (request, reply, done) => {
    const work = isProbe(request) ? new Work(undefined) : workOfRequest(request, reply);
    logWhenEnded(request, reply, work);
    // Health checks must not keep the process from ending.
    if (!isProbe(request)) inFlight.add(reply.raw);
    void reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
    if (encrypted) void reply.header('strict-transport-security', 'max-age=63072000');
    // Many clients send a content type with a request that has no body.
    if (hasNoBody(request)) delete request.headers['content-type'];
    const refused = SAFE_METHODS.has(request.method) ? isEmbedded(request) : isCrossSite(request, publicUrl);
    work.do(() => {
      runInContext({ requestId: request.id }, () => {
        done(refused ? new AppError('cross_site_request') : undefined);
      });
    });
  });
}

function hasNoBody({ headers }: FastifyRequest): boolean {
  return (headers['content-length'] ?? '0') === '0' && headers['transfer-encoding'] === undefined;
}

/** The consent pages open only by a top-level navigation, never in an image, frame or script of another page. */
function isEmbedded({ url, headers }: FastifyRequest): boolean {
  const destination = headers['sec-fetch-dest'];
  return url.startsWith('/oauth2/') && destination !== undefined && destination !== 'document';
}

/**
 * The load balancer signs in by cookie, so another site could make the user's browser send a request. Browsers say where a
 * request comes from (Fetch Metadata, and `Origin` on every POST); a client that says nothing is not a browser. The forms of
 * a page that sends no referrer send `Origin: null`, so Fetch Metadata is checked first.
 */
function isCrossSite({ headers }: FastifyRequest, publicUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin';
  return headers.origin !== undefined && headers.origin !== publicUrl;
}
