import { APP_GUARD } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { AlbTokenVerifier } from './alb/alb-token.verifier.js';
import { AlbJwtGuard } from './alb-jwt.guard.js';
import { BearerTokenVerifier } from './bearer/bearer-token.verifier.js';
import { SIGN_IN } from './sign-in.js';
import { SignInModule } from './sign-in.module.js';
import { SignOutController } from './sign-out.controller.js';

describe('SignInModule', () => {
  it.each([
    ['alb', AlbTokenVerifier, [SignOutController]],
    ['bearer', BearerTokenVerifier, []],
  ] as const)('guards every route with the tokens of %s', (kind, verifier, controllers) => {
    const { module, global, providers, controllers: made } = SignInModule.forRoot(kind);
    expect(module).toEqual(SignInModule);
    expect(global).toBe(true);
    expect(providers).toEqual(
      expect.arrayContaining([
        { provide: SIGN_IN, useClass: verifier },
        { provide: APP_GUARD, useClass: AlbJwtGuard },
      ]),
    );
    expect(made).toEqual(controllers);
  });
});
