import { describe, expect, it } from '@jest/globals';
import { IdentityModule } from './identity.module.js';
import { AlbJwtGuard } from './inbound/alb-jwt.guard.js';
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
