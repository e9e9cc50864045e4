import type { Deployment } from './deployment.ts';

/** Names that both stacks use. The stacks may be in two regions. */
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

/** Returns the name of a provider's credential provider in AgentCore Identity. */
export function credentialProviderName(
  { environment }: Pick<Deployment, 'environment'>,
  provider: string,
): string {
  return `onbehalf-${environment}-${provider}`;
}
