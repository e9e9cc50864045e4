import type { Deployment } from './deployment.ts';

/** Names that both stacks, which may be in two regions, have to agree on. */
export function namesOf({ environment, domain }: Pick<Deployment, 'environment' | 'domain'>): {
  readonly workloadIdentity: string;
  readonly publicUrl: string;
  readonly sessionBindingUrl: string;
} {
  const publicUrl = `https://${domain.name}`;
  return {
    workloadIdentity: `onbehalf-${environment}`,
    publicUrl,
    sessionBindingUrl: `${publicUrl}/oauth2/session-binding`,
  };
}

/** The name of a provider's credential provider in AgentCore Identity. */
export function credentialProviderName(
  { environment }: Pick<Deployment, 'environment'>,
  provider: string,
): string {
  return `onbehalf-${environment}-${provider}`;
}
