import type { FastifyInstance, FastifyRequest } from 'fastify';
import { runInContext } from '../context/index.js';
import { AppError } from '../errors/index.js';

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

/** What happens to every request before anything reads its body. */
export function addRequestHooks(fastify: FastifyInstance, publicUrl: string): void {
  const encrypted = publicUrl.startsWith('https:');
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
    if (encrypted) void reply.header('strict-transport-security', 'max-age=63072000');
    // Many clients name a type for the body that a DELETE does not have.
    if (request.method === 'DELETE') delete request.headers['content-type'];
    const refused = SAFE_METHODS.has(request.method) ? isEmbedded(request) : isCrossSite(request, publicUrl);
    runInContext({ requestId: request.id }, () => {
      done(refused ? new AppError('cross_site_request') : undefined);
    });
  });
}

/** Consent is given and completed on pages that a person has gone to, and in no image, frame or script of another page. */
function isEmbedded({ url, headers }: FastifyRequest): boolean {
  const destination = headers['sec-fetch-dest'];
  return url.startsWith('/oauth2/') && destination !== undefined && destination !== 'document';
}

/**
 * The load balancer signs in by cookie, so another site could make the user's browser send a request. Browsers tell
 * where a request comes from (Fetch Metadata, and `Origin` on every POST); clients that tell nothing are no browsers.
 * A page that sends no referrer makes its own forms say `Origin: null`, hence Fetch Metadata goes first.
 */
function isCrossSite({ headers }: FastifyRequest, publicUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin';
  return headers.origin !== undefined && headers.origin !== publicUrl;
}
