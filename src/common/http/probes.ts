import type { FastifyRequest } from 'fastify';

const PROBES = new Set(['/ping', '/ready']);

/** Tells whether a request is a health check, which comes every few seconds. */
export function isProbe(request: FastifyRequest): boolean {
  return PROBES.has(request.routeOptions.url ?? '');
}
