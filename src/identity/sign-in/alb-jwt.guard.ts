import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyReply } from 'fastify';
import { annotateContext } from '../../common/context/index.js';
import { AppError } from '../../common/errors/index.js';
import { IS_PUBLIC } from '../../common/http/index.js';
import { ALB_STRATEGY } from './alb-jwt.strategy.js';
import { SIGN_IN, type SignIn } from './sign-in.js';
import type { User } from './user.js';

/** Requires the token of a sign-in on every route, unless the route is `@Public()`. */
@Injectable()
export class AlbJwtGuard extends AuthGuard(ALB_STRATEGY) {
  readonly #reflector: Reflector;
  readonly #signIn: SignIn;

  constructor(reflector: Reflector, @Inject(SIGN_IN) signIn: SignIn) {
    super();
    this.#reflector = reflector;
    this.#signIn = signIn;
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const exempt = this.#reflector.getAllAndOverride<boolean>(IS_PUBLIC, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (exempt) return true;
    try {
      if ((await super.canActivate(context)) !== true) return false;
      const { user } = context.switchToHttp().getRequest<{ readonly user: User }>();
      annotateContext({ user: user.sub });
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthenticated') {
        const reply = context.switchToHttp().getResponse<FastifyReply>();
        void reply.header('www-authenticate', this.#challengeFor(error));
      }
      throw error;
    }
  }

  override handleRequest<T>(error: unknown, user: T | false | null | undefined): T {
    if (error instanceof Error) throw error;
    if (user === false || user === null || user === undefined) throw new AppError('unauthenticated');
    return user;
  }

  /** RFC 6750, 3.1: `invalid_token` is only for a token that was sent. */
  #challengeFor({ reason }: AppError): string {
    const { challenge } = this.#signIn;
    return challenge === 'Bearer' && reason?.startsWith('token_') === true && reason !== 'token_missing'
      ? 'Bearer error="invalid_token"'
      : challenge;
  }
}
