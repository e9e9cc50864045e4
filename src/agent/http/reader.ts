import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../common/errors/index.js';
import { runId } from '../events/index.js';

const ON_DISCONNECT = 'x-on-disconnect';

const headers = z.object({
  [ON_DISCONNECT]: z.enum(['continue', 'cancel']).default('continue'),
  'idempotency-key': runId.optional(),
  'last-event-id': z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .optional(),
});

/** What a client says about its stream in headers. */
export interface StreamHeaders {
  /** Whether the run goes on for a while when the client has gone. */
  readonly onDisconnect: 'continue' | 'cancel';
  /** Names the run, where the body does not. */
  readonly idempotencyKey: string | undefined;
  /** The number of the last event that the client has. */
  readonly lastEventId: number | undefined;
}

/** The headers of a stream: `x-on-disconnect`, `Idempotency-Key`, `Last-Event-ID`. @throws AppError `invalid_request` */
export const StreamHeadersOf = createParamDecorator(
  (_data: unknown, context: ExecutionContext): StreamHeaders => {
    const read = headers.safeParse(context.switchToHttp().getRequest<FastifyRequest>().headers);
    if (!read.success) {
      const names = read.error.issues.map(({ path }) => path.join('.')).join(', ');
      throw new AppError('invalid_request', {
        reason: 'header',
        detail: `The value of a header does not fit: ${names}. Compare it with the specification at /docs.`,
      });
    }
    return {
      onDisconnect: read.data[ON_DISCONNECT],
      idempotencyKey: read.data['idempotency-key'],
      lastEventId: read.data['last-event-id'],
    };
  },
);

/** Aborts when the client has gone before its answer was complete. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.on('close', () => {
    if (!raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
