import { join } from 'node:path';
import { startAccount, type LocalAccount } from './account/account.ts';
import {
  startAgentCoreIdentity,
  type LocalAgentCoreIdentity,
} from './agentcore-identity/agentcore-identity.ts';
import { startBedrock, type LocalBedrock } from './bedrock/bedrock.ts';
import type { TrustedIssuer } from './agentcore-identity/user-tokens.ts';
import type { Model } from './bedrock/protocol.ts';
import { startFaultBoard } from './fault-board/fault-board.ts';
import { startIdentityProvider } from './identity-provider/identity-provider.ts';
import { environmentOf, type EnvironmentOwner } from './lib/environment.ts';
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
import type { Listen, Part } from './lib/part.ts';
export * from './lib/names.ts';
import { startLoadBalancer, type LocalLoadBalancer } from './load-balancer/load-balancer.ts';
import { startProvider, type LocalProvider, type ProviderRow } from './provider-gate/provider.ts';
import { PROVIDERS } from './providers.ts';
import { Inspector } from './inspector/inspector.ts';
import type { Party } from './inspector/page/hop.ts';
import { Recorder } from './inspector/recorder.ts';
import { startS3, type LocalS3 } from './s3/s3.ts';

export interface StackOptions {
  /** The load balancer's port; the other parts use the ports after it. Free ports when absent. */
  readonly port?: number;
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
}

interface StartOptions extends StackOptions {
  readonly recorder?: Recorder;
}

export interface LocalStack {
  readonly loadBalancer: LocalLoadBalancer;
  readonly identityProvider: Part;
  readonly agentCoreIdentity: LocalAgentCoreIdentity;
  /** The providers by their ids. */
  readonly providers: ReadonlyMap<string, LocalProvider>;
  readonly gitHub: LocalProvider;
  readonly bedrock: LocalBedrock;
  readonly s3: LocalS3;
  readonly account: LocalAccount;
  /** Makes the other parts fail, over HTTP and on a page. */
  readonly faultBoard: Part;
  /** What the parts have asked each other; absent where nothing is recorded. */
  readonly recorder?: Recorder;
  /** The callbacks that GitHub's OAuth app allows. */
  readonly gitHubCallbacks: string[];
  /** The environment of a role on this stack, or of an operator who checks the agent role. */
  environment(owner: EnvironmentOwner): Record<string, string>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** The number of ports that a stack with a given port uses: the load balancer's, and those after it. */
export const PORTS = 11 + PROVIDERS.length - 1;

const FETCHING = [
  'GetWorkloadAccessToken',
  'GetWorkloadAccessTokenForUserId',
  'GetWorkloadAccessTokenForJWT',
  'GetResourceOauth2Token',
  'GetResourceApiKey',
];

/** Starts every part and connects them to each other. The caller starts the roles. */
export async function startStack(given: StackOptions = {}): Promise<LocalStack> {
  const recorder = given.inspect === true ? new Recorder() : undefined;
  const options: StartOptions = { ...given, ...(recorder !== undefined && { recorder }) };
  const started: Part[] = [];
  const keep = <T extends Part>(part: T): T => {
    started.push(part);
    return part;
  };
  try {
    const loadBalancer = keep(await startFront(options));
    const identityProvider = keep(await startTenant(options, loadBalancer.url));
    loadBalancer.useIssuer(identityProvider.url);
    const callbacks = new Map<string, string[]>();
    const providers = await startProviders(options, callbacks, keep);
    const agentCoreIdentity = keep(await startIdentityService(options, loadBalancer.url, providers));
    const registerCallbacks = (): void => {
      for (const [id, redirectUris] of callbacks) {
        // The callback that the developer of an OAuth app enters in the provider's settings.
        const callback = `${agentCoreIdentity.url}/identities/oauth2/callback/${callbackIdOf(id)}`;
        redirectUris.splice(0, redirectUris.length, callback);
      }
    };
    registerCallbacks();
    const bedrock = keep(await startModel(options));
    const s3 = keep(await startStorage(options));
    const account = keep(await startAccountPart(options));
    const gitHub = required(providers.get('github'));
    const parts = {
      loadBalancer,
      identityProvider,
      agentCoreIdentity,
      providers,
      gitHub,
      bedrock,
      s3,
      account,
    };
    const inspector = recorder === undefined ? undefined : new Inspector(recorder, parts);
    const faultBoard = keep(await startFaultBoard(parts, place(options, 10), inspector));
    return {
      ...parts,
      faultBoard,
      ...(recorder !== undefined && { recorder }),
      gitHubCallbacks: required(callbacks.get('github')),
      environment: (owner) => environmentOf(owner, parts),
      reset: async () => {
        registerCallbacks();
        await Promise.all(started.map((part) => part.reset()));
      },
      close: () => closeAll(started),
    };
  } catch (error) {
    await closeAll(started);
    throw error;
  }
}

/** Starts each provider with an empty list of callbacks, and keeps the list in `callbacks`. */
async function startProviders(
  options: StartOptions,
  callbacks: Map<string, string[]>,
  keep: (part: LocalProvider) => LocalProvider,
): Promise<ReadonlyMap<string, LocalProvider>> {
  const providers = new Map<string, LocalProvider>();
  for (const [index, row] of [...PROVIDERS, ...(options.furtherProviders ?? [])].entries()) {
    const redirectUris: string[] = [];
    callbacks.set(row.id, redirectUris);
    // The first provider has a fixed port among the eleven.
    const offset = index === 0 ? 3 : 10 + index;
    providers.set(row.id, keep(await startOneProvider(options, row, offset, redirectUris)));
  }
  return providers;
}

function place({ port, recorder }: StartOptions, offset: number, party?: Party): Listen {
  return {
    ...(port !== undefined && { port: port + offset }),
    ...(recorder !== undefined && party !== undefined && { watch: recorder.watch(party) }),
  };
}

function stateFile({ stateDirectory }: StackOptions, name: string): { stateFile?: string } {
  return stateDirectory === undefined ? {} : { stateFile: join(stateDirectory, `${name}.json`) };
}

function startFront(options: StartOptions): Promise<LocalLoadBalancer> {
  const { recorder } = options;
  return startLoadBalancer({
    ...place(options, 0, 'load-balancer'),
    ...(recorder !== undefined && {
      watchTarget: (to, request, response, identity) => {
        recorder.follow({ from: 'load-balancer', to }, request, response, identity);
      },
    }),
    ...(options.port !== undefined && { keysPort: options.port + 6 }),
    arn: ALB_ARN,
    clientId: ALB_CLIENT_ID,
    clientSecret: ALB_CLIENT_SECRET,
    ...(options.stateDirectory !== undefined && { stateDirectory: options.stateDirectory }),
    ...(options.idleTimeoutMs !== undefined && { idleTimeoutMs: options.idleTimeoutMs }),
  });
}

function startTenant(options: StartOptions, publicUrl: string): Promise<Part> {
  const redirectUri = `${publicUrl}/oauth2/idpresponse`;
  const client = { clientId: ALB_CLIENT_ID, clientSecret: ALB_CLIENT_SECRET, redirectUri };
  return startIdentityProvider({ ...place(options, 1, 'identity-provider'), client });
}

function startIdentityService(
  options: StartOptions,
  publicUrl: string,
  providers: ReadonlyMap<string, LocalProvider>,
): Promise<LocalAgentCoreIdentity> {
  return startAgentCoreIdentity({
    ...place(options, 2, 'agentcore-identity'),
    ...stateFile(options, 'agentcore-identity'),
    ...(options.now !== undefined && { now: options.now }),
    ...(options.trustedIssuers !== undefined && { trustedIssuers: options.trustedIssuers }),
    workloads: [{ name: WORKLOAD, allowedResourceOauth2ReturnUrls: [`${publicUrl}/oauth2/session-binding`] }],
    credentialProviders: [...providers.values()].map(({ url, row }) => ({
      name: credentialProviderOf(row.id),
      callbackId: callbackIdOf(row.id),
      // This is not the vendor's own site, so it is described by its endpoints, like a GitHub Enterprise Server.
      vendor: 'CustomOauth2',
      ...clientOf(row.id),
      authorizationEndpoint: url + row.authorizePath,
      tokenEndpoint: url + row.tokenPath,
    })),
    policies: {
      [ACCESS_KEYS.agent]: FETCHING,
      [ACCESS_KEYS['session-binding']]: ['CompleteResourceTokenAuth'],
    },
  });
}

function startOneProvider(
  options: StartOptions,
  row: ProviderRow,
  offset: number,
  redirectUris: readonly string[],
): Promise<LocalProvider> {
  return startProvider(row, {
    ...place(options, offset, 'provider'),
    ...stateFile(options, row.id),
    ...(options.now !== undefined && { now: options.now }),
    clients: [{ ...clientOf(row.id), name: 'OnBehalf', redirectUris }],
  });
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the table of providers has no GitHub');
  return value;
}

function startModel(options: StartOptions): Promise<LocalBedrock> {
  return startBedrock({
    ...place(options, 4, 'bedrock'),
    ...(options.model !== undefined && { model: options.model }),
    wordDelayMs: options.wordDelayMs ?? 0,
  });
}

function startStorage(options: StartOptions): Promise<LocalS3> {
  return startS3({
    ...place(options, 5, 's3'),
    buckets: [BUCKET],
    mayNotList: [ACCESS_KEYS['session-binding']],
    settings: { region: REGION, versioned: true, closedToThePublic: true, keyArn: KEY_ARN },
    ...(options.stateDirectory !== undefined && { directory: join(options.stateDirectory, 's3') }),
  });
}

function startAccountPart(options: StartOptions): Promise<LocalAccount> {
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
