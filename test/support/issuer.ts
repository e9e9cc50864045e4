import type { TrustedIssuer } from '../../local/agentcore-identity/user-tokens.ts';
import { TestIssuer as Provider } from '../../src/identity/testing/issuer.js';

export interface TestIssuer extends TrustedIssuer {
  /** Returns a new token for a subject. No two tokens are the same. */
  token(sub: string, audience?: string): Promise<string>;
  close(): Promise<void>;
}

/** An issuer of JWT access tokens that both AgentCore Identity and the agent role accept. */
export async function startIssuer(): Promise<TestIssuer> {
  const provider = await Provider.start();
  const audience = 'onbehalf';
  let count = 0;
  return {
    issuer: provider.issuer,
    jwksUri: `${provider.issuer}/keys`,
    audience,
    token: (sub, forAudience = audience) =>
      provider.token({ sub, aud: forAudience, client_id: forAudience, count: (count += 1) }),
    close: () => provider.close(),
  };
}
