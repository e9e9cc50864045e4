import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../common/errors/index.js';
import type { User } from './user.js';

/** The signed-in user of a request that the guard has let through. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): User => {
  const { user } = context.switchToHttp().getRequest<FastifyRequest & { user?: User }>();
  if (user === undefined) throw new AppError('unauthenticated');
  return user;
});
