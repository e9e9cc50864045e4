import { describe, expect, it } from '@jest/globals';
import { IdentityModule } from './identity.module.js';
import { AlbJwtGuard } from './inbound/alb-jwt.guard.js';
import { AlbTokenVerifier } from './inbound/alb-token.verifier.js';
import { BearerTokenVerifier } from './inbound/bearer-token.verifier.js';
import { SIGN_IN } from './inbound/sign-in.js';
import { AgentCoreIdentityAdapter } from './outbound/agentcore-identity.adapter.js';
import { FlowTickets } from './outbound/flow-tickets.js';
import { IDENTITY_SERVICE } from './outbound/identity-service.js';
import { ResourceTokens } from './outbound/resource-tokens.js';
import { WorkloadTokens } from './outbound/workload-tokens.js';

describe('IdentityModule', () => {
  it('fetches tokens in the agent role, and there alone', () => {
    const agent = IdentityModule.forRole('agent');
    const binding = IdentityModule.forRole('session-binding');
    const shared = [IDENTITY_SERVICE, FlowTickets];
    expect([agent.exports, binding.exports]).toEqual([[...shared, WorkloadTokens, ResourceTokens], shared]);
    expect(agent.providers).toEqual(expect.arrayContaining([WorkloadTokens, ResourceTokens]));
    for (const fetching of [WorkloadTokens, ResourceTokens])
      expect(binding.providers).not.toContain(fetching);
  });

  it('lets the load balancer vouch for users, and tokens of their own only where that is said', () => {
    const signInOf = (...parameters: Parameters<typeof IdentityModule.forRole>): unknown =>
      IdentityModule.forRole(...parameters).providers?.filter(
        (each) => 'provide' in each && each.provide === SIGN_IN,
      );
    expect(signInOf('agent')).toEqual([{ provide: SIGN_IN, useClass: AlbTokenVerifier }]);
    expect(signInOf('session-binding')).toEqual([{ provide: SIGN_IN, useClass: AlbTokenVerifier }]);
    expect(signInOf('agent', 'bearer')).toEqual([{ provide: SIGN_IN, useClass: BearerTokenVerifier }]);
  });

  it.each(['agent', 'session-binding'] as const)('guards every route of the role %s', (role) => {
    const { global, module, providers } = IdentityModule.forRole(role);
    expect([global, module]).toEqual([true, IdentityModule]);
    expect(providers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ useClass: AlbJwtGuard }),
        { provide: IDENTITY_SERVICE, useClass: AgentCoreIdentityAdapter },
        FlowTickets,
      ]),
    );
  });
});
