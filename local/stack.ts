import { join } from 'node:path';
import { startAccount, type LocalAccount } from './account/account.ts';
import {
  startAgentCoreIdentity,
  type LocalAgentCoreIdentity,
} from './agentcore-identity/agentcore-identity.ts';
import { startBedrock, type LocalBedrock } from './bedrock/bedrock.ts';
import type { TrustedIssuer } from './agentcore-identity/user-tokens.ts';
import type { Model } from './bedrock/protocol.ts';
import { API_PREFIX, startGitHub, type LocalGitHub } from './github/github.ts';
import { startIdentityProvider } from './identity-provider/identity-provider.ts';
import type { Part } from './lib/part.ts';
import { startLoadBalancer, type LocalLoadBalancer } from './load-balancer/load-balancer.ts';
import { startS3, type LocalS3 } from './s3/s3.ts';

export interface StackOptions {
  /** The load balancer's port; the other parts take the ports after it. Free ports when absent. */
  readonly port?: number;
  /** Where state is kept; in memory when absent. */
  readonly stateDirectory?: string;
  readonly model?: Model;
  readonly wordDelayMs?: number;
  readonly idleTimeoutMs?: number;
  readonly now?: () => number;
  /** Issuers whose JWTs AgentCore Identity takes as user tokens. */
  readonly trustedIssuers?: readonly TrustedIssuer[];
}

export type Who = 'agent' | 'session-binding' | 'operator';

export interface LocalStack {
  readonly loadBalancer: LocalLoadBalancer;
  readonly identityProvider: Part;
  readonly agentCoreIdentity: LocalAgentCoreIdentity;
  readonly gitHub: LocalGitHub;
  readonly bedrock: LocalBedrock;
  readonly s3: LocalS3;
  readonly account: LocalAccount;
  /** The callbacks that GitHub's OAuth app allows. */
  readonly gitHubCallbacks: string[];
  /** The environment of a role that lives on this stack, or of an operator who looks at the agent role. */
  environment(who: Who): Record<string, string>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

export const REGION = 'eu-central-1';
export const ACCOUNT = '111122223333';
export const ALB_ARN = `arn:aws:elasticloadbalancing:${REGION}:${ACCOUNT}:loadbalancer/app/onbehalf-local/50dc6c495c0c9188`;
export const ALB_CLIENT_ID = 'onbehalf-local';
export const BUCKET = 'onbehalf-local-sessions';
export const WORKLOAD = 'onbehalf-local';
export const GITHUB_PROVIDER = 'github-local';
/** Access keys of the two task roles, of which AgentCore Identity lets each do its own part only; and of an operator. */
export const ACCESS_KEYS = {
  agent: 'AKIALOCALAGENT',
  'session-binding': 'AKIALOCALBINDING',
  operator: 'AKIALOCALOPERATOR',
} as const;
export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/0d2f7c1a-4b6e-4c8d-9a10-5e3f2b1c0d9e`;
/** Nothing of value hangs on these: they are good on this machine, for stand-ins, only. */
const ALB_CLIENT_SECRET = 'local-stack-alb-client-secret';
const GITHUB_CLIENT = { clientId: 'onbehalf-local', clientSecret: 'local-stack-github-client-secret' };
const CALLBACK_ID = '6f1f64de-0c1c-4d7e-9a5e-2b3e5a6c7d8e';
const FLOW_SECRET = 'local-stack-flow-secret-for-this-machine-only';

const FETCHING = [
  'GetWorkloadAccessToken',
  'GetWorkloadAccessTokenForUserId',
  'GetWorkloadAccessTokenForJWT',
  'GetResourceOauth2Token',
  'GetResourceApiKey',
];

/** Starts every part and introduces them to each other. The roles are started by whoever calls this. */
export async function startStack(options: StackOptions = {}): Promise<LocalStack> {
  const started: Part[] = [];
  const keep = <T extends Part>(part: T): T => {
    started.push(part);
    return part;
  };
  try {
    const loadBalancer = keep(await startFront(options));
    const identityProvider = keep(await startTenant(options, loadBalancer.url));
    loadBalancer.useIssuer(identityProvider.url);
    const gitHubCallbacks: string[] = [];
    const gitHub = keep(await startProvider(options, gitHubCallbacks));
    const agentCoreIdentity = keep(await startIdentityService(options, loadBalancer.url, gitHub.url));
    // As the developer of an OAuth app would paste it into GitHub's settings.
    const callback = `${agentCoreIdentity.url}/identities/oauth2/callback/${CALLBACK_ID}`;
    gitHubCallbacks.push(callback);
    const bedrock = keep(await startModel(options));
    const s3 = keep(await startStorage(options));
    const account = keep(await startAccountPart(options));
    const parts = { loadBalancer, identityProvider, agentCoreIdentity, gitHub, bedrock, s3, account };
    return {
      ...parts,
      gitHubCallbacks,
      environment: (who) => environmentOf(who, parts),
      reset: async () => {
        gitHubCallbacks.splice(0, gitHubCallbacks.length, callback);
        await Promise.all(started.map((part) => part.reset()));
      },
      close: () => closeAll(started),
    };
  } catch (error) {
    await closeAll(started);
    throw error;
  }
}

function place({ port }: StackOptions, offset: number): { port?: number } {
  return port === undefined ? {} : { port: port + offset };
}

function stateFile({ stateDirectory }: StackOptions, name: string): { stateFile?: string } {
  return stateDirectory === undefined ? {} : { stateFile: join(stateDirectory, `${name}.json`) };
}

function startFront(options: StackOptions): Promise<LocalLoadBalancer> {
  return startLoadBalancer({
    ...place(options, 0),
    ...(options.port !== undefined && { keysPort: options.port + 6 }),
    arn: ALB_ARN,
    clientId: ALB_CLIENT_ID,
    clientSecret: ALB_CLIENT_SECRET,
    ...(options.stateDirectory !== undefined && { stateDirectory: options.stateDirectory }),
    ...(options.idleTimeoutMs !== undefined && { idleTimeoutMs: options.idleTimeoutMs }),
  });
}

function startTenant(options: StackOptions, publicUrl: string): Promise<Part> {
  const redirectUri = `${publicUrl}/oauth2/idpresponse`;
  const client = { clientId: ALB_CLIENT_ID, clientSecret: ALB_CLIENT_SECRET, redirectUri };
  return startIdentityProvider({ ...place(options, 1), client });
}

function startIdentityService(
  options: StackOptions,
  publicUrl: string,
  gitHubUrl: string,
): Promise<LocalAgentCoreIdentity> {
  return startAgentCoreIdentity({
    ...place(options, 2),
    ...stateFile(options, 'agentcore-identity'),
    ...(options.now !== undefined && { now: options.now }),
    ...(options.trustedIssuers !== undefined && { trustedIssuers: options.trustedIssuers }),
    workloads: [{ name: WORKLOAD, allowedResourceOauth2ReturnUrls: [`${publicUrl}/oauth2/session-binding`] }],
    credentialProviders: [
      {
        name: GITHUB_PROVIDER,
        callbackId: CALLBACK_ID,
        // Not github.com, so it is described by its addresses, as a GitHub Enterprise Server would be.
        vendor: 'CustomOauth2',
        ...GITHUB_CLIENT,
        authorizationEndpoint: `${gitHubUrl}/login/oauth/authorize`,
        tokenEndpoint: `${gitHubUrl}/login/oauth/access_token`,
      },
    ],
    policies: {
      [ACCESS_KEYS.agent]: FETCHING,
      [ACCESS_KEYS['session-binding']]: ['CompleteResourceTokenAuth'],
    },
  });
}

function startProvider(options: StackOptions, redirectUris: readonly string[]): Promise<LocalGitHub> {
  return startGitHub({
    ...place(options, 3),
    ...stateFile(options, 'github'),
    ...(options.now !== undefined && { now: options.now }),
    clients: [{ ...GITHUB_CLIENT, name: 'OnBehalf', redirectUris }],
  });
}

function startModel(options: StackOptions): Promise<LocalBedrock> {
  return startBedrock({
    ...place(options, 4),
    ...(options.model !== undefined && { model: options.model }),
    wordDelayMs: options.wordDelayMs ?? 0,
  });
}

function startStorage(options: StackOptions): Promise<LocalS3> {
  return startS3({
    ...place(options, 5),
    buckets: [BUCKET],
    mayNotList: [ACCESS_KEYS['session-binding']],
    settings: { region: REGION, versioned: true, closedToThePublic: true, keyArn: KEY_ARN },
    ...(options.stateDirectory !== undefined && { directory: join(options.stateDirectory, 's3') }),
  });
}

function startAccountPart(options: StackOptions): Promise<LocalAccount> {
  const principals = Object.entries(ACCESS_KEYS).map(([name, accessKey]) => [
    accessKey,
    { account: ACCOUNT, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/onbehalf-${name}/local` },
  ]);
  return startAccount({
    ...place(options, 9),
    principals: Object.fromEntries(principals) as Record<string, { account: string; arn: string }>,
    keys: { [KEY_ARN]: { enabled: true, rotates: true } },
  });
}

async function closeAll(parts: readonly Part[]): Promise<void> {
  await Promise.all(parts.map((part) => part.close()));
}

function environmentOf(
  who: Who,
  parts: Omit<LocalStack, 'gitHubCallbacks' | 'environment' | 'reset' | 'close'>,
): Record<string, string> {
  const common = {
    ROLE: who === 'operator' ? 'agent' : who,
    HOST: '127.0.0.1',
    ENVIRONMENT: 'local',
    AWS_REGION: REGION,
    // Not the developer's own profile.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_ACCESS_KEY_ID: ACCESS_KEYS[who],
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
  if (who === 'session-binding') return common;
  const agent = {
    ...common,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: parts.bedrock.url,
    WORKLOAD_IDENTITY_NAME: WORKLOAD,
    INFERENCE_PROFILE_ID: 'local.rule-based-stand-in',
    GITHUB_PROVIDER_NAME: GITHUB_PROVIDER,
    GITHUB_API_BASE: `${parts.gitHub.url}${API_PREFIX}`,
  };
  if (who === 'agent') return agent;
  return {
    ...agent,
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: parts.agentCoreIdentity.url,
    AWS_ENDPOINT_URL_STS: parts.account.url,
    AWS_ENDPOINT_URL_KMS: parts.account.url,
  };
}
