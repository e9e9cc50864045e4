import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { SignInKind } from '../../config/index.js';
import { AlbTokenVerifier } from './alb/alb-token.verifier.js';
import { AlbJwtGuard } from './alb-jwt.guard.js';
import { AlbJwtStrategy } from './alb-jwt.strategy.js';
import { BearerTokenVerifier } from './bearer/bearer-token.verifier.js';
import { SIGN_IN } from './sign-in.js';
import { SignOutController } from './sign-out.controller.js';

const VERIFIERS = { alb: AlbTokenVerifier, bearer: BearerTokenVerifier };

/** Guards every route of a role: only signed-in users pass. */
@Module({})
export class SignInModule {
  /** The module for one way of signing in. */
  static forRoot(kind: SignInKind): DynamicModule {
    return {
      module: SignInModule,
      global: true,
      // Without a load balancer there is no session to end.
      controllers: kind === 'alb' ? [SignOutController] : [],
      providers: [
        { provide: SIGN_IN, useClass: VERIFIERS[kind] },
        AlbJwtStrategy,
        { provide: APP_GUARD, useClass: AlbJwtGuard },
      ],
      exports: [SIGN_IN],
    };
  }
}
