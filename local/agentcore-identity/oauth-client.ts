import { internal } from './errors.ts';

/** How a credential provider exchanges a user's token for one of its own. */
export interface TokenExchange {
  /** RFC 8693, or the JWT grant of RFC 7523. */
  readonly grantType: 'TOKEN_EXCHANGE' | 'JWT_AUTHORIZATION_GRANT';
  /** Whether the workload's own token goes with it as the actor's. */
  readonly actorToken?: 'NONE' | 'M2M';
  readonly actorTokenScopes?: readonly string[];
}

/** An OAuth 2.0 credential provider, as it is registered with the control plane. */
export interface CredentialProvider {
  readonly name: string;
  /** The last segment of the callback URL to register with the provider. */
  readonly callbackId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** The issuer; where it is absent, the origin of the authorization endpoint. */
  readonly issuer?: string;
  /** Default `GithubOauth2`. */
  readonly vendor?: string;
  /** Default `READY`. */
  readonly status?: string;
  /** Default: the client's id and secret are sent in the body. */
  readonly clientAuthentication?: 'CLIENT_SECRET_BASIC' | 'CLIENT_SECRET_POST';
  readonly tokenExchange?: TokenExchange;
  /** Unix milliseconds. */
  readonly createdAt?: number;
  readonly updatedAt?: number;
}

export interface Grant {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Unix milliseconds; absent for a token that does not expire. */
  readonly expiresAt?: number;
  readonly scopes: readonly string[];
}

interface TokenResponse {
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
  readonly scope?: string;
  readonly error?: string;
}

/** An answer in which the provider refused the request. */
export class GrantRefused extends Error {}

/** The parameters of a token request; one that has several values is sent several times. */
export type TokenParameters = readonly (readonly [name: string, value: string])[];

/**
 * A request to a provider's token endpoint (RFC 6749 §4.1.3, §4.4, §6). `scopes` are the requested scopes; they apply when the
 * answer names none.
 */
export async function requestToken(
  provider: CredentialProvider,
  parameters: TokenParameters,
  scopes: readonly string[],
  now: number,
): Promise<Grant> {
  const { clientId, clientSecret, clientAuthentication } = provider;
  const isBasic = clientAuthentication === 'CLIENT_SECRET_BASIC';
  const inBody = isBasic ? [] : [['client_id', clientId] as const, ['client_secret', clientSecret] as const];
  let answer: TokenResponse;
  try {
    const response = await fetch(provider.tokenEndpoint, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        ...(isBasic && { authorization: basic(clientId, clientSecret) }),
      },
      body: new URLSearchParams([...parameters, ...inBody].map(([name, value]) => [name, value])),
      signal: AbortSignal.timeout(5_000),
    });
    answer = (await response.json()) as TokenResponse;
  } catch {
    throw internal('The credential provider could not be reached');
  }
  if (answer.access_token === undefined) throw new GrantRefused(answer.error ?? 'no access token');
  return {
    accessToken: answer.access_token,
    ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
    ...(answer.expires_in !== undefined && { expiresAt: now + answer.expires_in * 1000 }),
    // RFC 6749 separates scopes by spaces, GitHub by commas.
    scopes: answer.scope === undefined ? scopes : answer.scope.split(/[ ,]+/).filter((scope) => scope !== ''),
  };
}

/** RFC 6749, section 2.3.1: both are encoded as in a form. */
function basic(clientId: string, clientSecret: string): string {
  const encoded = [clientId, clientSecret].map(encodeURIComponent).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
}
