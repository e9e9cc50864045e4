import type { Deployment } from './deployment.ts';

/** Names that both stacks, which may be in two regions, have to agree on. */
export function namesOf({ environment, domain }: Pick<Deployment, 'environment' | 'domain'>): {
  readonly workloadIdentity: string;
  readonly gitHubProvider: string;
  readonly publicUrl: string;
  readonly sessionBindingUrl: string;
} {
  const publicUrl = `https://${domain.name}`;
  return {
    workloadIdentity: `onbehalf-${environment}`,
    gitHubProvider: `onbehalf-${environment}-github`,
    publicUrl,
    sessionBindingUrl: `${publicUrl}/oauth2/session-binding`,
  };
}
