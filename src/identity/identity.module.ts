import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Role, SignInKind } from '../config/index.js';
import { AlbJwtGuard } from './inbound/alb-jwt.guard.js';
import { AlbJwtStrategy } from './inbound/alb-jwt.strategy.js';
import { AlbTokenVerifier } from './inbound/alb-token.verifier.js';
import { BearerTokenVerifier } from './inbound/bearer-token.verifier.js';
import { SIGN_IN } from './inbound/sign-in.js';
import { AgentCoreIdentityAdapter } from './outbound/agentcore-identity.adapter.js';
import { FlowTickets } from './outbound/flow-tickets.js';
import { IDENTITY_SERVICE } from './outbound/identity-service.js';
import { ResourceTokens } from './outbound/resource-tokens.js';
import { WorkloadTokens } from './outbound/workload-tokens.js';

const INBOUND = [AlbJwtStrategy, { provide: APP_GUARD, useClass: AlbJwtGuard }];
const SIGN_INS = { alb: AlbTokenVerifier, bearer: BearerTokenVerifier };
const OUTBOUND = [{ provide: IDENTITY_SERVICE, useClass: AgentCoreIdentityAdapter }, FlowTickets];
const FETCHING = [WorkloadTokens, ResourceTokens];

/** Who is asking, and what they have allowed. The session-binding role gets nothing that fetches tokens. */
@Module({})
export class IdentityModule {
  /** @param signIn only the agent role can do without a load balancer */
  static forRole(role: Role, signIn: SignInKind = 'alb'): DynamicModule {
    const fetching = role === 'agent' ? FETCHING : [];
    return {
      module: IdentityModule,
      global: true,
      providers: [{ provide: SIGN_IN, useClass: SIGN_INS[signIn] }, ...INBOUND, ...OUTBOUND, ...fetching],
      exports: [IDENTITY_SERVICE, FlowTickets, ...fetching],
    };
  }
}
