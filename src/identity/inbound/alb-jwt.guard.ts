import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import { AppError } from '../../common/errors/index.js';
import { IS_PUBLIC } from '../../common/http/index.js';
import { ALB_STRATEGY } from './alb-jwt.strategy.js';

/** Closed by default: every route needs the token of a sign-in, unless it is `@Public()`. */
@Injectable()
export class AlbJwtGuard extends AuthGuard(ALB_STRATEGY) {
  readonly #reflector: Reflector;

  constructor(reflector: Reflector) {
    super();
    this.#reflector = reflector;
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const exempt = this.#reflector.getAllAndOverride<boolean>(IS_PUBLIC, [
      context.getHandler(),
      context.getClass(),
    ]);
    return exempt || (await super.canActivate(context)) === true;
  }

  override handleRequest<T>(error: unknown, user: T | false | null | undefined): T {
    if (error instanceof Error) throw error;
    if (user === false || user === null || user === undefined) throw new AppError('unauthenticated');
    return user;
  }
}
