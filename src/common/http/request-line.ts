import { Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { runInContext } from '../context/index.js';
import type { Work } from '../telemetry/index.js';
import { isProbe } from './probes.js';

const logger = new Logger('RequestLine');

/**
 * Logs one line when the answer has been sent or the connection has closed. The line has nothing that the client wrote: no
 * address, header or id, but the pattern of the route. Health checks that succeed are not logged.
 */
export function logWhenEnded(request: FastifyRequest, { raw }: FastifyReply, work: Work): void {
  const startedAt = performance.now();
  raw.once('close', () => {
    if (isProbe(request) && raw.statusCode === 200) return;
    const { url: route } = request.routeOptions;
    const line = {
      event: 'request_ended',
      method: request.method,
      ...(route !== undefined && { route }),
      ...(raw.headersSent && { status: raw.statusCode }),
      durationMs: Math.round(performance.now() - startedAt),
      complete: raw.writableFinished,
    };
    // The context of the request also has ids that clients choose.
    work.do(() => {
      runInContext({ requestId: request.id }, () => {
        logger.log(line);
      });
    });
  });
}
