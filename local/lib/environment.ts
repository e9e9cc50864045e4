import type { LocalProvider } from '../provider-gate/provider.ts';
import {
  ACCESS_KEYS,
  ALB_ARN,
  ALB_CLIENT_ID,
  BUCKET,
  clientOf,
  credentialProviderOf,
  REGION,
  WORKLOAD,
} from './names.ts';

export type EnvironmentOwner = 'agent' | 'session-binding' | 'operator';

/** The parts of the stack that an environment refers to. */
export interface Addresses {
  readonly loadBalancer: { readonly url: string; readonly keysUrl: string };
  readonly identityProvider: { readonly url: string };
  readonly agentCoreIdentity: { readonly url: string };
  readonly providers: ReadonlyMap<string, LocalProvider>;
  readonly bedrock: { readonly url: string };
  readonly s3: { readonly url: string };
  readonly account: { readonly url: string };
}

/** This value protects nothing: only the stand-ins on this machine accept it. */
const FLOW_SECRET = 'local-stack-flow-secret-for-this-machine-only';

/** The environment of a role on this stack, or of an operator who checks the agent role. */
export function environmentOf(owner: EnvironmentOwner, parts: Addresses): Record<string, string> {
  const common = {
    ROLE: owner === 'operator' ? 'agent' : owner,
    HOST: '127.0.0.1',
    ENVIRONMENT: 'local',
    AWS_REGION: REGION,
    // The SDK must not use the developer's own profile.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_ACCESS_KEY_ID: ACCESS_KEYS[owner],
    AWS_SECRET_ACCESS_KEY: 'local-stack',
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: parts.agentCoreIdentity.url,
    PUBLIC_URL: parts.loadBalancer.url,
    ALB_ARN,
    ALB_ISSUER: parts.identityProvider.url,
    ALB_CLIENT_ID,
    ALB_PUBLIC_KEYS_URL: parts.loadBalancer.keysUrl,
    FLOW_SECRET,
    AUTHORIZATION_ORIGIN: parts.agentCoreIdentity.url,
    AWS_ENDPOINT_URL_S3: parts.s3.url,
    S3_BUCKET_NAME: BUCKET,
    SIGN_OUT_URL: `${parts.identityProvider.url}/session/end`,
  };
  if (owner === 'session-binding')
    return { ...common, ...Object.fromEntries([...parts.providers.values()].flatMap(clientOfProvider)) };
  const agent = {
    ...common,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: parts.bedrock.url,
    WORKLOAD_IDENTITY_NAME: WORKLOAD,
    INFERENCE_PROFILE_ID: 'local.rule-based-stand-in',
    ...Object.fromEntries([...parts.providers.values()].flatMap(variablesOf)),
  };
  if (owner === 'agent') return agent;
  return {
    ...agent,
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: parts.agentCoreIdentity.url,
    AWS_ENDPOINT_URL_STS: parts.account.url,
    AWS_ENDPOINT_URL_KMS: parts.account.url,
  };
}

type Variables = readonly (readonly [string, string])[];

/** The variables with which the agent role offers a provider. */
function variablesOf({ row, apiBase }: LocalProvider): Variables {
  const prefix = prefixOf(row.id);
  return [
    [`${prefix}_PROVIDER_NAME`, credentialProviderOf(row.id)],
    [`${prefix}_API_BASE`, apiBase],
    ...(row.endsGrants === true ? [[`${prefix}_CLIENT_ID`, clientOf(row.id).clientId] as const] : []),
  ];
}

/** The variables with which session binding ends what users have authorized at a provider. */
function clientOfProvider({ row, apiBase }: LocalProvider): Variables {
  if (row.endsGrants !== true) return [];
  const prefix = prefixOf(row.id);
  const { clientId, clientSecret } = clientOf(row.id);
  return [
    [`${prefix}_API_BASE`, apiBase],
    [`${prefix}_CLIENT_ID`, clientId],
    [`${prefix}_CLIENT_SECRET`, clientSecret],
  ];
}

function prefixOf(provider: string): string {
  return provider.toUpperCase().replaceAll('-', '_');
}
