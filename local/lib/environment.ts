import type { StartedParts } from '../parts.ts';
import type { LocalProvider } from '../provider-gate/provider.ts';
import { ACCESS_KEYS, ALB_ARN, BUCKET, clientOf, credentialProviderOf, REGION, WORKLOAD } from './names.ts';

/**
 * Whose environment it is: a role's, an operator's who checks the agent role, that of any client of AWS, or that of AWS's own
 * sample of this pattern in Python.
 */
export const ENVIRONMENT_OWNERS = ['agent', 'session-binding', 'operator', 'aws', 'aws-sample'] as const;
export type EnvironmentOwner = (typeof ENVIRONMENT_OWNERS)[number];

/** This value protects nothing: only the stand-ins on this machine accept it. */
const FLOW_SECRET = 'local-stack-flow-secret-for-this-machine-only';

const MODEL = 'local.rule-based-stand-in';

type Environment = Record<string, string>;
type Written = Readonly<Record<string, string | undefined>>;

/** The environment of a program on this stack. Where a part was not started, its variables are left out. */
export function environmentOf(owner: EnvironmentOwner, parts: StartedParts): Environment {
  switch (owner) {
    case 'aws':
      return set(anyClient(parts));
    case 'aws-sample':
      return set({ ...anyClient(parts), ...awsSample(parts) });
    case 'session-binding':
      return set({ ...role(owner, parts), ...ofProviders(parts, clientOfProvider) });
    case 'agent':
      return set({ ...role(owner, parts), ...agent(parts) });
    case 'operator':
      return set({ ...role(owner, parts), ...agent(parts), ...allEndpoints(parts) });
  }
}

/** The SDK must not use the developer's own profile. */
function clientOfAws(owner: keyof typeof ACCESS_KEYS): Written {
  return {
    AWS_REGION: REGION,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_ACCESS_KEY_ID: ACCESS_KEYS[owner],
    AWS_SECRET_ACCESS_KEY: 'local-stack',
  };
}

function anyClient(parts: StartedParts): Written {
  return { ...clientOfAws('operator'), AWS_DEFAULT_REGION: REGION, ...allEndpoints(parts) };
}

/**
 * Both services of the sample read the same variables. Its agent is at the target `agent` of the load balancer, its session
 * binding at `session-binding`.
 * https://github.com/awslabs/agentcore-samples/tree/main/01-tutorials/03-AgentCore-identity/07-Outbound_Auth_3LO_ECS_Fargate
 */
function awsSample({ loadBalancer, providers }: StartedParts): Written {
  const gitHub = providers.get('github');
  return {
    ENVIRONMENT: 'local',
    IDENTITY_AWS_REGION: REGION,
    WORKLOAD_IDENTITY_NAME: WORKLOAD,
    SESSION_BINDING_URL: loadBalancer && `${loadBalancer.url}/oauth2/session-binding`,
    S3_BUCKET_NAME: BUCKET,
    INFERENCE_PROFILE_ID: MODEL,
    GITHUB_PROVIDER_NAME: gitHub && credentialProviderOf(gitHub.row.id),
    GITHUB_API_BASE: gitHub?.apiBase,
  };
}

function role(
  owner: keyof typeof ACCESS_KEYS,
  { loadBalancer, identityProvider, agentCoreIdentity, s3 }: StartedParts,
): Written {
  return {
    ROLE: owner === 'operator' ? 'agent' : owner,
    HOST: '127.0.0.1',
    ENVIRONMENT: 'local',
    ...clientOfAws(owner),
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: agentCoreIdentity?.url,
    PUBLIC_URL: loadBalancer?.url,
    ALB_ARN,
    ALB_ISSUER: loadBalancer?.issuer(),
    ALB_CLIENT_ID: loadBalancer?.clientId,
    ALB_PUBLIC_KEYS_URL: loadBalancer?.keysUrl,
    FLOW_SECRET,
    AUTHORIZATION_ORIGIN: agentCoreIdentity?.url,
    AWS_ENDPOINT_URL_S3: s3?.url,
    S3_BUCKET_NAME: BUCKET,
    SIGN_OUT_URL: identityProvider && `${identityProvider.url}/session/end`,
  };
}

function agent(parts: StartedParts): Written {
  return {
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: parts.bedrock?.url,
    WORKLOAD_IDENTITY_NAME: WORKLOAD,
    INFERENCE_PROFILE_ID: MODEL,
    ...ofProviders(parts, variablesOf),
  };
}

function allEndpoints({ agentCoreIdentity, bedrock, s3, account }: StartedParts): Written {
  return {
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: agentCoreIdentity?.url,
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: agentCoreIdentity?.url,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock?.url,
    AWS_ENDPOINT_URL_S3: s3?.url,
    AWS_ENDPOINT_URL_STS: account?.url,
    AWS_ENDPOINT_URL_KMS: account?.url,
  };
}

function ofProviders({ providers }: StartedParts, of: (provider: LocalProvider) => Variables): Written {
  return Object.fromEntries([...providers.values()].flatMap(of));
}

function set(variables: Written): Environment {
  const known = Object.entries(variables).filter((each): each is [string, string] => each[1] !== undefined);
  return Object.fromEntries(known);
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
