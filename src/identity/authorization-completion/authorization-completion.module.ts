import { Module } from '@nestjs/common';
import { AUTHORIZATION_COMPLETION } from './authorization-completion.js';
import { AuthorizationCompletionAdapter } from './authorization-completion.adapter.js';

/** Completes authorizations at AgentCore Identity. Nothing in this folder fetches a token. */
@Module({
  providers: [{ provide: AUTHORIZATION_COMPLETION, useClass: AuthorizationCompletionAdapter }],
  exports: [AUTHORIZATION_COMPLETION],
})
export class AuthorizationCompletionModule {}
