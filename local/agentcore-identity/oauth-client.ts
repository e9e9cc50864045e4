import { internal } from './errors.ts';

/** An OAuth 2.0 credential provider, as it is registered with the control plane. */
export interface CredentialProvider {
  readonly name: string;
  /** The last segment of the callback URL to register with the provider. */
  readonly callbackId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** Default `GithubOauth2`. */
  readonly vendor?: string;
  /** Default `READY`. */
  readonly status?: string;
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

/**
 * A request to a provider's token endpoint (RFC 6749 §4.1.3, §4.4, §6) with the client's credentials in the body. `scopes`
 * are the requested scopes; they apply when the answer names none.
 */
export async function requestToken(
  provider: CredentialProvider,
  parameters: Readonly<Record<string, string>>,
  scopes: readonly string[],
  now: number,
): Promise<Grant> {
  const body = new URLSearchParams({
    ...parameters,
    client_id: provider.clientId,
    client_secret: provider.clientSecret,
  });
  let answer: TokenResponse;
  try {
    const response = await fetch(provider.tokenEndpoint, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body,
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
