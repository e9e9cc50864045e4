import type { FaultSwitch } from '../lib/faults.ts';
import type { LocalAccount } from '../account/account.ts';
import { AwsModel } from '../lib/aws-model.ts';
import type { LocalAgentCoreIdentity } from '../agentcore-identity/agentcore-identity.ts';
import type { LocalBedrock } from '../bedrock/bedrock.ts';
import type { Part } from '../lib/part.ts';
import type { StartedParts } from '../parts.ts';
import type { LocalLoadBalancer } from '../load-balancer/load-balancer.ts';
import type { LocalProvider } from '../provider-gate/provider.ts';
import type { LocalS3 } from '../s3/s3.ts';

/** Something that happens once at a part, such as the revocation of tokens. It is not a fault and is not undone. */
export interface Action {
  readonly title: string;
  /** The accounts of which one must be named; empty when the action concerns no account. */
  readonly logins: readonly string[];
  readonly takesSeconds: boolean;
  run(chosen: { readonly login: string; readonly seconds: number }): void;
}

/** A part as the board sees it. */
export interface BoardPart {
  readonly id: string;
  readonly title: string;
  readonly url: string;
  readonly faults: FaultSwitch;
  /** The names that a fault may give instead of a path. */
  readonly operations: Readonly<Record<string, RegExp>>;
  readonly actions: Readonly<Record<string, Action>>;
}

const NOTHING_CHOSEN = { logins: [], takesSeconds: false } as const;

/** Every part with a fault switch; the load balancer has a second one for its public keys. */
export function boardParts(parts: StartedParts): readonly BoardPart[] {
  const { loadBalancer, identityProvider, agentCoreIdentity, providers, bedrock, s3, account } = parts;
  return [
    ...(loadBalancer === undefined ? [] : [loadBalancerPart(loadBalancer), keysPart(loadBalancer)]),
    identityProvider && identityProviderPart(identityProvider),
    agentCoreIdentity && agentCoreIdentityPart(agentCoreIdentity),
    ...[...providers.values()].map(providerPart),
    bedrock && bedrockPart(bedrock),
    s3 && s3Part(s3),
    account && accountPart(account),
  ].filter((part) => part !== undefined);
}

function loadBalancerPart({ url, faults }: LocalLoadBalancer): BoardPart {
  const operations = { invocations: /^POST \/invocations/, callback: /^GET \/oauth2\/session-binding/ };
  return { id: 'load-balancer', title: 'Load balancer', url, faults, operations, actions: {} };
}

function keysPart({ keysUrl, keyFaults, signer }: LocalLoadBalancer): BoardPart {
  const rotate: Action = {
    ...NOTHING_CHOSEN,
    title: 'Rotate the signing key',
    run: () => signer.rotate(),
  };
  return {
    id: 'load-balancer-keys',
    title: 'Public keys of the load balancer',
    url: keysUrl,
    faults: keyFaults,
    operations: {},
    actions: { 'rotate-key': rotate },
  };
}

function identityProviderPart({ url, faults }: Part): BoardPart {
  const operations = {
    token: /^POST \/token/,
    userinfo: /^(GET|POST) \/me/,
    discovery: /^GET \/\.well-known/,
  };
  return { id: 'identity-provider', title: 'Identity provider', url, faults, operations, actions: {} };
}

function agentCoreIdentityPart({ url, faults, vault }: LocalAgentCoreIdentity): BoardPart {
  const { operations } = new AwsModel('bedrock-agentcore').facts;
  const named = Object.entries(operations).map(([name, { path }]) => [name, new RegExp(`^POST ${path}$`)]);
  const expire: Action = {
    ...NOTHING_CHOSEN,
    title: 'Invalidate all workload access tokens',
    run: () => {
      vault.expireWorkloadTokens();
    },
  };
  return {
    id: 'agentcore-identity',
    title: 'AgentCore Identity',
    url,
    faults,
    operations: Object.fromEntries(named) as Record<string, RegExp>,
    actions: { 'expire-workload-tokens': expire },
  };
}

function providerPart({ row, url, faults, grants, api }: LocalProvider): BoardPart {
  const logins = row.accounts.map(({ login }) => login);
  return {
    id: row.id,
    title: row.brand.replace(' (local)', ''),
    url,
    faults,
    operations: {
      authorize: new RegExp(`^(GET|POST) ${row.authorizePath}`),
      token: new RegExp(`^POST ${row.tokenPath}`),
      api: new RegExp(`^[A-Z]+ ${row.apiPrefix}/`),
    },
    actions: {
      'revoke-tokens': {
        title: 'Revoke the tokens of an account',
        logins,
        takesSeconds: false,
        run: ({ login }) => {
          grants.revokeUser(login);
        },
      },
      'limit-rate': {
        title: 'Refuse the calls of an account by a rate limit',
        logins,
        takesSeconds: true,
        run: ({ login, seconds }) => {
          api.limit(login, seconds);
        },
      },
    },
  };
}

function bedrockPart({ url, faults }: LocalBedrock): BoardPart {
  const operations = { ConverseStream: /^POST \/model\/[^/]+\/converse-stream$/ };
  return { id: 'bedrock', title: 'Bedrock', url, faults, operations, actions: {} };
}

function s3Part({ url, faults }: LocalS3): BoardPart {
  const object = '/[^/?]+/[^?]+';
  const operations = {
    GetObject: new RegExp(`^GET ${object}`),
    PutObject: new RegExp(`^PUT ${object}`),
    DeleteObject: new RegExp(`^DELETE ${object}`),
    ListObjectsV2: /^GET \/[^?]*\?.*list-type=2/,
  };
  return { id: 's3', title: 'S3', url, faults, operations, actions: {} };
}

function accountPart({ url, faults }: LocalAccount): BoardPart {
  return { id: 'account', title: 'Account: STS and KMS', url, faults, operations: {}, actions: {} };
}
