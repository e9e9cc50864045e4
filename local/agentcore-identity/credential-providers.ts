import { validation } from './errors.ts';
import type { CredentialProvider, TokenExchange } from './oauth-client.ts';

/** The endpoints of a vendor's authorization server. */
export interface VendorEndpoints {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
}

interface ServerMetadata extends VendorEndpoints {
  readonly issuer: string;
}

/** What a provider's configuration has, whatever its vendor. */
interface Configuration extends Partial<ServerMetadata> {
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly clientSecretSource?: string;
  readonly clientAuthenticationMethod?: string;
  readonly oauthDiscovery?: {
    readonly discoveryUrl?: string;
    readonly authorizationServerMetadata?: ServerMetadata;
  };
  readonly onBehalfOfTokenExchangeConfig?: {
    readonly grantType: TokenExchange['grantType'];
    readonly tokenExchangeGrantTypeConfig?: {
      readonly actorTokenContent: string;
      readonly actorTokenScopes?: readonly string[];
    };
  };
}

type Endpoints = Pick<CredentialProvider, 'issuer' | 'authorizationEndpoint' | 'tokenEndpoint'>;

/** The vendors that have a member of their own in the configuration. The others share `includedOauth2ProviderConfig`. */
const OWN_MEMBER = [
  'custom',
  'google',
  'github',
  'slack',
  'salesforce',
  'microsoft',
  'atlassian',
  'linkedin',
];

/** The member of the configuration that belongs to a vendor. */
export function memberOf(vendor: string): string {
  const name = vendor.replace(/Oauth2$/, '').toLowerCase();
  return `${OWN_MEMBER.includes(name) ? name : 'included'}Oauth2ProviderConfig`;
}

/**
 * Reads the configuration of a credential provider.
 * @throws ServiceError ValidationException
 */
export async function readConfiguration(
  vendor: string,
  [member, value]: readonly [string, unknown],
  vendors: Readonly<Record<string, VendorEndpoints>>,
): Promise<Omit<CredentialProvider, 'name' | 'callbackId'>> {
  if (member !== memberOf(vendor)) throw validation(`${vendor} needs ${memberOf(vendor)}`, member);
  const configuration = value as Configuration;
  const { clientId, clientSecret, clientSecretSource, clientAuthenticationMethod: method } = configuration;
  if (clientSecretSource === 'EXTERNAL')
    throw validation('This stand-in has no Secrets Manager: give it the clientSecret itself', member);
  if (method === 'AWS_IAM_ID_TOKEN_JWT' || method === 'PRIVATE_KEY_JWT')
    throw validation(`This stand-in cannot authenticate a client by ${method}`, member);
  if (clientId === undefined || clientId === '' || clientSecret === undefined)
    throw validation('clientId and clientSecret are required', member);
  const tokenExchange = exchangeOf(configuration);
  return {
    vendor,
    clientId,
    clientSecret,
    ...(await endpointsOf(vendor, member, configuration, vendors)),
    ...(method === 'CLIENT_SECRET_BASIC' && { clientAuthentication: method }),
    ...(tokenExchange !== undefined && { tokenExchange }),
  };
}

function exchangeOf({ onBehalfOfTokenExchangeConfig: given }: Configuration): TokenExchange | undefined {
  if (given === undefined) return undefined;
  const { actorTokenContent = 'NONE', actorTokenScopes = [] } = given.tokenExchangeGrantTypeConfig ?? {};
  if (actorTokenContent === 'AWS_IAM_ID_TOKEN_JWT')
    throw validation('This stand-in has no AWS_IAM_ID_TOKEN_JWT for an actor', 'actorTokenContent');
  return {
    grantType: given.grantType,
    actorToken: actorTokenContent === 'M2M' ? 'M2M' : 'NONE',
    actorTokenScopes,
  };
}

async function endpointsOf(
  vendor: string,
  member: string,
  { oauthDiscovery, issuer, authorizationEndpoint, tokenEndpoint }: Configuration,
  vendors: Readonly<Record<string, VendorEndpoints>>,
): Promise<Endpoints> {
  if (oauthDiscovery?.authorizationServerMetadata !== undefined)
    return onlyEndpoints(oauthDiscovery.authorizationServerMetadata);
  if (oauthDiscovery?.discoveryUrl !== undefined) return discovered(oauthDiscovery.discoveryUrl);
  if (authorizationEndpoint !== undefined && tokenEndpoint !== undefined)
    return { ...(issuer !== undefined && { issuer }), authorizationEndpoint, tokenEndpoint };
  const known = vendors[vendor];
  if (known === undefined)
    throw validation(
      `This stand-in knows no endpoints of ${vendor}: name them in stack.json, under "vendors"`,
      member,
    );
  return onlyEndpoints(known);
}

/** Reads the metadata of an authorization server (RFC 8414, OpenID Connect Discovery). */
async function discovered(url: string): Promise<Endpoints> {
  let metadata: Readonly<Record<string, unknown>>;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    metadata = (await response.json()) as Readonly<Record<string, unknown>>;
  } catch {
    throw validation(`The discovery document at ${url} could not be read`, 'discoveryUrl');
  }
  const { issuer, authorization_endpoint, token_endpoint } = metadata;
  if (typeof authorization_endpoint !== 'string' || typeof token_endpoint !== 'string')
    throw validation(`The discovery document at ${url} names no endpoints`, 'discoveryUrl');
  return {
    ...(typeof issuer === 'string' && { issuer }),
    authorizationEndpoint: authorization_endpoint,
    tokenEndpoint: token_endpoint,
  };
}

function onlyEndpoints({
  authorizationEndpoint,
  tokenEndpoint,
  ...more
}: VendorEndpoints & { issuer?: string }): Endpoints {
  return {
    ...(more.issuer !== undefined && { issuer: more.issuer }),
    authorizationEndpoint,
    tokenEndpoint,
  };
}

/** The configuration as the control plane shows it, without secrets. */
export function shownConfiguration(provider: CredentialProvider): object {
  const { clientId, issuer, authorizationEndpoint, tokenEndpoint, tokenExchange } = provider;
  const authorizationServerMetadata = {
    issuer: issuer ?? new URL(authorizationEndpoint).origin,
    authorizationEndpoint,
    tokenEndpoint,
  };
  const member = memberOf(provider.vendor ?? 'GithubOauth2');
  return {
    [member]: {
      oauthDiscovery: { authorizationServerMetadata },
      clientId,
      ...(member === 'customOauth2ProviderConfig' && {
        clientAuthenticationMethod: provider.clientAuthentication ?? 'CLIENT_SECRET_POST',
        ...(tokenExchange !== undefined && { onBehalfOfTokenExchangeConfig: shownExchange(tokenExchange) }),
      }),
    },
  };
}

function shownExchange({ grantType, actorToken = 'NONE', actorTokenScopes = [] }: TokenExchange): object {
  if (grantType === 'JWT_AUTHORIZATION_GRANT') return { grantType };
  return {
    grantType,
    tokenExchangeGrantTypeConfig: {
      actorTokenContent: actorToken,
      ...(actorTokenScopes.length > 0 && { actorTokenScopes }),
    },
  };
}
