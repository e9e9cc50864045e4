import { join } from 'node:path';
import { startAccount, type LocalAccount } from './account/account.ts';
import {
  startAgentCoreIdentity,
  type LocalAgentCoreIdentity,
} from './agentcore-identity/agentcore-identity.ts';
import { answersOf } from './agentcore-identity/behaviour.ts';
import type { CredentialProvider } from './agentcore-identity/oauth-client.ts';
import type { Workload } from './agentcore-identity/registry.ts';
import type { TrustedIssuer } from './agentcore-identity/user-tokens.ts';
import { startBedrock, type LocalBedrock } from './bedrock/bedrock.ts';
import type { Model } from './bedrock/protocol.ts';
import { withReplies } from './bedrock/replies.ts';
import { ruleBasedModel } from './bedrock/rule-based-model.ts';
import { startIdentityProvider, type LocalIdentityProvider } from './identity-provider/identity-provider.ts';
import { PARTIES, type Party } from './inspector/page/hop.ts';
import type { Recorder } from './inspector/recorder.ts';
import {
  ACCESS_KEYS,
  ACCOUNT,
  ALB_ARN,
  ALB_CLIENT_ID,
  ALB_CLIENT_SECRET,
  BUCKET,
  callbackIdOf,
  clientOf,
  credentialProviderOf,
  KEY_ARN,
  REGION,
  WORKLOAD,
} from './lib/names.ts';
import type { Listen } from './lib/part.ts';
import { startLoadBalancer, type LocalLoadBalancer } from './load-balancer/load-balancer.ts';
import { ruleOf } from './load-balancer/rules.ts';
import type { OAuthClient } from './provider-gate/grants.ts';
import { startProvider, type LocalProvider, type ProviderRow } from './provider-gate/provider.ts';
import { startS3, type LocalS3 } from './s3/s3.ts';
import type { StackFile } from './stack-file.ts';

export interface StackOptions {
  /** The load balancer's port; the other parts use the ports after it. Free ports when absent. */
  readonly port?: number;
  /** The address where the parts listen; loopback when absent. */
  readonly address?: string;
  /** The name of this machine in the parts' URLs; `localhost` and the loopback address when absent. */
  readonly host?: string;
  /** The folder where state is kept; in memory when absent. */
  readonly stateDirectory?: string;
  readonly model?: Model;
  readonly wordDelayMs?: number;
  readonly idleTimeoutMs?: number;
  readonly now?: () => number;
  /** Issuers whose JWTs AgentCore Identity accepts as user tokens. */
  readonly trustedIssuers?: readonly TrustedIssuer[];
  /** Additional providers, besides those of the table. */
  readonly furtherProviders?: readonly ProviderRow[];
  /** Records what the parts ask each other, for the inspector. */
  readonly inspect?: boolean;
  /** What the stack has beside what every stack has. */
  readonly file?: StackFile;
}

/** What every part is started with. */
export interface StartOptions extends Omit<StackOptions, 'now' | 'file'> {
  readonly recorder?: Recorder;
  readonly now: () => number;
  readonly file: StackFile;
}

/** The parts that were started. */
export interface StartedParts {
  readonly loadBalancer?: LocalLoadBalancer;
  readonly identityProvider?: LocalIdentityProvider;
  readonly agentCoreIdentity?: LocalAgentCoreIdentity;
  /** The providers by their ids. */
  readonly providers: ReadonlyMap<string, LocalProvider>;
  readonly bedrock?: LocalBedrock;
  readonly s3?: LocalS3;
  readonly account?: LocalAccount;
}

const FETCHING = [
  'GetWorkloadAccessToken',
  'GetWorkloadAccessTokenForUserId',
  'GetWorkloadAccessTokenForJWT',
  'GetResourceOauth2Token',
  'GetResourceApiKey',
];

/** Where a part listens. Its port in the file goes before its place among the ports of the stack. */
export function place(
  { port, address, host, recorder, file }: StartOptions,
  name: string,
  offset: number,
  party?: Party,
): Listen {
  const chosen = file.ports[name] ?? (port === undefined ? undefined : port + offset);
  return {
    ...(chosen !== undefined && { port: chosen }),
    ...(address !== undefined && { address }),
    ...(host !== undefined && { host }),
    ...(recorder !== undefined && party !== undefined && { watch: recorder.watch(party) }),
  };
}

function stateFile({ stateDirectory }: StartOptions, name: string): { stateFile?: string } {
  return stateDirectory === undefined ? {} : { stateFile: join(stateDirectory, `${name}.json`) };
}

export function startFront(options: StartOptions): Promise<LocalLoadBalancer> {
  const { recorder, file, now } = options;
  const { clientId = ALB_CLIENT_ID, clientSecret = ALB_CLIENT_SECRET, scope, rules } = file.loadBalancer;
  return startLoadBalancer({
    ...place(options, 'loadBalancer', 0, 'load-balancer'),
    ...(recorder !== undefined && {
      watchTarget: (to, request, response, identity) => {
        const party = PARTIES.find(([id]) => id === to)?.[0] ?? 'agent';
        recorder.follow({ from: 'load-balancer', to: party }, request, response, identity);
      },
    }),
    keys: place(options, 'keys', 6),
    arn: ALB_ARN,
    clientId,
    clientSecret,
    rules: rules.map(ruleOf),
    ...(scope !== undefined && { scope }),
    now,
    ...(options.stateDirectory !== undefined && { stateDirectory: options.stateDirectory }),
    ...(options.idleTimeoutMs !== undefined && { idleTimeoutMs: options.idleTimeoutMs }),
  });
}

/** @param publicUrl the load balancer's, if there is one */
export function startTenant(options: StartOptions, publicUrl?: string): Promise<LocalIdentityProvider> {
  const { tenant, users, clients } = options.file.identityProvider;
  const { clientId = ALB_CLIENT_ID, clientSecret = ALB_CLIENT_SECRET } = options.file.loadBalancer;
  const front =
    publicUrl === undefined
      ? []
      : [{ clientId, clientSecret, redirectUris: [`${publicUrl}/oauth2/idpresponse`] }];
  return startIdentityProvider({
    ...place(options, 'identityProvider', 1, 'identity-provider'),
    clients: [...front, ...clients],
    tenant,
    ...(users !== undefined && { users }),
  });
}

export function startIdentityService(
  options: StartOptions,
  providers: ReadonlyMap<string, LocalProvider>,
  publicUrl?: string,
): Promise<LocalAgentCoreIdentity> {
  const { agentCoreIdentity } = options.file;
  const { vendors, apiKeys, behaviour } = agentCoreIdentity;
  const returnUrls = publicUrl === undefined ? [] : [`${publicUrl}/oauth2/session-binding`];
  return startAgentCoreIdentity({
    ...place(options, 'agentCoreIdentity', 2, 'agentcore-identity'),
    ...stateFile(options, 'agentcore-identity'),
    now: options.now,
    trustedIssuers: [...(options.trustedIssuers ?? []), ...agentCoreIdentity.trustedIssuers],
    workloads: [
      { name: WORKLOAD, allowedResourceOauth2ReturnUrls: returnUrls },
      ...agentCoreIdentity.workloads.map(({ name, returnUrls: allowed }): Workload => ({
        name,
        allowedResourceOauth2ReturnUrls: allowed,
      })),
    ],
    credentialProviders: [
      ...[...providers.values()].map(ownCredentialProvider),
      ...agentCoreIdentity.credentialProviders.map((written) =>
        writtenCredentialProvider(written, providers),
      ),
    ],
    policies: {
      [ACCESS_KEYS.agent]: FETCHING,
      [ACCESS_KEYS['session-binding']]: ['CompleteResourceTokenAuth'],
      ...agentCoreIdentity.policies,
    },
    vendors,
    apiKeys,
    behaviour: answersOf(behaviour),
  });
}

/** The credential provider with which the roles reach a provider of the stack. */
function ownCredentialProvider(provider: LocalProvider): CredentialProvider {
  const { id } = provider.row;
  return {
    name: credentialProviderOf(id),
    callbackId: callbackIdOf(id),
    // This is not the vendor's own site, so it is described by its endpoints, like a GitHub Enterprise Server.
    vendor: 'CustomOauth2',
    ...clientOf(id),
    ...endpointsOf(provider),
  };
}

/**
 * The key of a credential provider of the file. Its name can be the id of a provider of the stack; with this key, it has a
 * callback of its own.
 */
function inFile(name: string): string {
  return `stack.json ${name}`;
}

type Written = StackFile['agentCoreIdentity']['credentialProviders'][number];

function writtenCredentialProvider(
  { name, vendor, clientId, clientSecret, provider, authorizationEndpoint, tokenEndpoint }: Written,
  providers: ReadonlyMap<string, LocalProvider>,
): CredentialProvider {
  const common = { name, vendor, clientId, clientSecret, callbackId: callbackIdOf(inFile(name)) };
  const local = provider === undefined ? undefined : providers.get(provider);
  if (local !== undefined) return { ...common, ...endpointsOf(local) };
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined)
    throw new Error(
      `The credential provider ${name} needs a provider of the stack (${[...providers.keys()].join(', ')}), or an authorizationEndpoint and a tokenEndpoint.`,
    );
  return { ...common, authorizationEndpoint, tokenEndpoint };
}

function endpointsOf({
  url,
  row,
}: LocalProvider): Pick<CredentialProvider, 'authorizationEndpoint' | 'tokenEndpoint'> {
  return { authorizationEndpoint: url + row.authorizePath, tokenEndpoint: url + row.tokenPath };
}

/**
 * Starts a provider with its OAuth clients: that of the roles, those of the file, and one for each credential provider of
 * the file. Where the callbacks of AgentCore Identity are known only later, the list is filled then.
 */
export function startOneProvider(
  options: StartOptions,
  row: ProviderRow,
  offset: number,
  callbacks: Callbacks,
): Promise<LocalProvider> {
  const { file } = options;
  const registered = file.agentCoreIdentity.credentialProviders.filter(({ provider }) => provider === row.id);
  const clients: OAuthClient[] = [
    { ...clientOf(row.id), name: 'OnBehalf', redirectUris: callbacks.of(row.id) },
    ...registered.map(({ name, clientId, clientSecret }) => ({
      ...{ clientId, clientSecret, name },
      redirectUris: callbacks.of(inFile(name)),
    })),
    ...(file.providers[row.id]?.clients ?? []).map((each) => ({ ...each, name: each.clientId })),
  ];
  return startProvider(row, {
    ...place(options, row.id, offset, 'provider'),
    ...stateFile(options, row.id),
    now: options.now,
    clients,
  });
}

/** The callbacks that the OAuth apps allow, in lists that are filled when AgentCore Identity has its address. */
export class Callbacks {
  readonly #lists = new Map<string, string[]>();

  of(name: string): string[] {
    const list = this.#lists.get(name) ?? [];
    this.#lists.set(name, list);
    return list;
  }

  /** The callback that the developer of an OAuth app enters in the provider's settings. */
  fill(agentCoreIdentityUrl: string): void {
    for (const [name, list] of this.#lists)
      list.splice(0, list.length, `${agentCoreIdentityUrl}/identities/oauth2/callback/${callbackIdOf(name)}`);
  }
}

export function startModel(options: StartOptions): Promise<LocalBedrock> {
  const { replies, wordDelayMs } = options.file.bedrock;
  return startBedrock({
    ...place(options, 'bedrock', 4, 'bedrock'),
    model: options.model ?? withReplies(replies, ruleBasedModel),
    wordDelayMs: wordDelayMs ?? options.wordDelayMs ?? 0,
  });
}

export function startStorage(options: StartOptions): Promise<LocalS3> {
  return startS3({
    ...place(options, 's3', 5, 's3'),
    buckets: [BUCKET, ...options.file.s3.buckets],
    mayNotList: [ACCESS_KEYS['session-binding']],
    settings: { region: REGION, versioned: true, closedToThePublic: true, keyArn: KEY_ARN },
    ...(options.stateDirectory !== undefined && { directory: join(options.stateDirectory, 's3') }),
  });
}

export function startAccountPart(options: StartOptions): Promise<LocalAccount> {
  const principals = Object.entries(ACCESS_KEYS).map(([name, accessKey]) => [
    accessKey,
    { account: ACCOUNT, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/onbehalf-${name}/local` },
  ]);
  return startAccount({
    ...place(options, 'account', 9),
    principals: Object.fromEntries(principals) as Record<string, { account: string; arn: string }>,
    keys: { [KEY_ARN]: { enabled: true, rotates: true } },
  });
}
