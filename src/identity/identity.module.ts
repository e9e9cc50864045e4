import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Role } from '../config/index.js';
import { AlbJwtGuard } from './inbound/alb-jwt.guard.js';
import { AlbJwtStrategy } from './inbound/alb-jwt.strategy.js';
import { AlbTokenVerifier } from './inbound/alb-token.verifier.js';
import { AgentCoreIdentityAdapter } from './outbound/agentcore-identity.adapter.js';
import { FlowTickets } from './outbound/flow-tickets.js';
import { IDENTITY_SERVICE } from './outbound/identity-service.js';
import { ResourceTokens } from './outbound/resource-tokens.js';
import { WorkloadTokens } from './outbound/workload-tokens.js';

const INBOUND = [AlbTokenVerifier, AlbJwtStrategy, { provide: APP_GUARD, useClass: AlbJwtGuard }];
const OUTBOUND = [{ provide: IDENTITY_SERVICE, useClass: AgentCoreIdentityAdapter }, FlowTickets];
const FETCHING = [WorkloadTokens, ResourceTokens];

/** Who is asking, and what they have allowed. The session-binding role gets nothing that fetches tokens. */
@Module({})
export class IdentityModule {
  static forRole(role: Role): DynamicModule {
    const fetching = role === 'agent' ? FETCHING : [];
    return {
      module: IdentityModule,
      global: true,
      providers: [...INBOUND, ...OUTBOUND, ...fetching],
      exports: [IDENTITY_SERVICE, FlowTickets, ...fetching],
    };
  }
}
