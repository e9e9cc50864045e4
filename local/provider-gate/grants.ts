import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { State } from '../lib/state.ts';

export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
}

export interface IssuedToken {
  readonly clientId: string;
  readonly login: string;
  readonly scopes: readonly string[];
  /** Unix milliseconds; absent for a token that does not expire. */
  readonly expiresAt?: number;
}

interface Code {
  readonly clientId: string;
  readonly login: string;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly codeChallenge?: string;
  readonly expiresAt: number;
}

/** What an authorization server has given out. */
export interface GrantsState {
  codes: Record<string, Code>;
  tokens: Record<string, IssuedToken>;
  refreshTokens: Record<string, IssuedToken>;
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'bearer';
  readonly scope: string;
  readonly expires_in?: number;
  readonly refresh_token?: string;
}

/** A refusal of the token endpoint; `code` is the provider's error code. */
export class TokenRefused extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const CODE_LIFETIME_MS = 10 * 60_000;

/** The state of a provider's authorization server: codes, access tokens and refresh tokens. */
export class Grants {
  readonly #state: State<GrantsState>;
  readonly #clients: readonly OAuthClient[];
  readonly #tokenPrefix: string;
  readonly #now: () => number;
  /** The token requests that were answered with a token, for tests. */
  readonly exchanges: { readonly grantType: string; readonly pkce: boolean }[] = [];
  /** Lifetime of new access tokens in milliseconds; undefined for tokens that do not expire. */
  tokenLifetimeMs: number | undefined;

  constructor(options: {
    readonly clients: readonly OAuthClient[];
    readonly tokenPrefix: string;
    readonly now: () => number;
    readonly stateFile?: string;
  }) {
    this.#clients = options.clients;
    this.#tokenPrefix = options.tokenPrefix;
    this.#now = options.now;
    this.#state = new State<GrantsState>(
      () => ({ codes: {}, tokens: {}, refreshTokens: {} }),
      options.stateFile,
    );
  }

  client(clientId: string): OAuthClient | undefined {
    return this.#clients.find((client) => client.clientId === clientId);
  }

  issueCode(code: Omit<Code, 'expiresAt'>): string {
    const value = randomBytes(10).toString('hex');
    this.#state.value.codes[value] = { ...code, expiresAt: this.#now() + CODE_LIFETIME_MS };
    this.#state.save();
    return value;
  }

  /** The client that sends its id and secret as RFC 6749, section 2.3.1, or undefined. */
  authenticated(authorization: string | undefined): OAuthClient | undefined {
    const encoded = /^basic (\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    const [id = '', secret = ''] = Buffer.from(encoded, 'base64')
      .toString('utf8')
      .split(':')
      .map(decodeURIComponent);
    const client = this.client(id);
    return client !== undefined && sameText(client.clientSecret, secret) ? client : undefined;
  }

  /** RFC 6749 §4.1.3 and §6; a code works once, a refresh token is replaced with each use. */
  token(form: URLSearchParams): TokenAnswer {
    const client = this.client(form.get('client_id') ?? '');
    if (client === undefined || !sameText(client.clientSecret, form.get('client_secret') ?? '')) {
      throw new TokenRefused(
        'incorrect_client_credentials',
        'The client_id and/or client_secret passed are incorrect.',
      );
    }
    const grantType = form.get('grant_type') ?? 'authorization_code';
    if (grantType === 'authorization_code') return this.#redeemCode(client, form);
    if (grantType === 'refresh_token')
      return this.#redeemRefreshToken(client, form.get('refresh_token') ?? '');
    throw new TokenRefused('unsupported_grant_type', 'This grant type is not supported.');
  }

  /** Gives a token more scopes than requested, as some providers and administrators do. */
  widen(accessToken: string, scopes: readonly string[]): void {
    const token = this.#state.value.tokens[accessToken];
    if (token === undefined) return;
    this.#state.value.tokens[accessToken] = { ...token, scopes: [...token.scopes, ...scopes] };
    this.#state.save();
  }

  snapshot(): GrantsState {
    return this.#state.snapshot();
  }

  restore(state: GrantsState): void {
    this.#state.restore(state);
  }

  /** The grant of an access token, if the token is still valid. */
  inspect(accessToken: string): IssuedToken | undefined {
    const token = this.#state.value.tokens[accessToken];
    return token?.expiresAt !== undefined && token.expiresAt <= this.#now() ? undefined : token;
  }

  revokeToken(accessToken: string): void {
    Reflect.deleteProperty(this.#state.value.tokens, accessToken);
    this.#state.save();
  }

  /** Ends what a token's user has granted to its client: all their tokens. False where the token is not the client's. */
  endGrant(clientId: string, accessToken: string): boolean {
    const grant = this.inspect(accessToken);
    if (grant?.clientId !== clientId) return false;
    this.revokeUser(grant.login, clientId);
    return true;
  }

  /** Revokes everything that a user has granted, like "Revoke" on the provider's settings page. */
  revokeUser(login: string, clientId?: string): void {
    const { tokens, refreshTokens } = this.#state.value;
    for (const tokensByValue of [tokens, refreshTokens]) {
      for (const [value, token] of Object.entries(tokensByValue)) {
        if (token.login === login && (clientId ?? token.clientId) === token.clientId)
          Reflect.deleteProperty(tokensByValue, value);
      }
    }
    this.#state.save();
  }

  /** The applications that may act for a user, with the scopes that each has. */
  applicationsOf(
    login: string,
  ): readonly { readonly client: OAuthClient; readonly scopes: readonly string[] }[] {
    const { tokens, refreshTokens } = this.#state.value;
    const granted = [...Object.values(tokens), ...Object.values(refreshTokens)].filter(
      (token) => token.login === login,
    );
    return this.#clients.flatMap((client) => {
      const own = granted.filter(({ clientId }) => clientId === client.clientId);
      return own.length === 0 ? [] : [{ client, scopes: [...new Set(own.flatMap(({ scopes }) => scopes))] }];
    });
  }

  /** Every access token that was ever issued and is still known, for tests that look for leaks. */
  accessTokens(): readonly string[] {
    return Object.keys(this.#state.value.tokens);
  }

  reset(): void {
    this.exchanges.length = 0;
    this.#state.reset();
  }

  #redeemCode(client: OAuthClient, form: URLSearchParams): TokenAnswer {
    const value = form.get('code') ?? '';
    const code = this.#state.value.codes[value];
    Reflect.deleteProperty(this.#state.value.codes, value);
    if (code?.clientId !== client.clientId || code.expiresAt <= this.#now()) {
      throw new TokenRefused('bad_verification_code', 'The code passed is incorrect or expired.');
    }
    if (form.has('redirect_uri') && form.get('redirect_uri') !== code.redirectUri) {
      throw new TokenRefused(
        'redirect_uri_mismatch',
        'The redirect_uri does not match the one of the authorization.',
      );
    }
    if (
      code.codeChallenge !== undefined &&
      challengeOf(form.get('code_verifier') ?? '') !== code.codeChallenge
    ) {
      throw new TokenRefused('bad_verification_code', 'The code_verifier does not match the code_challenge.');
    }
    this.exchanges.push({ grantType: 'authorization_code', pkce: code.codeChallenge !== undefined });
    return this.#issue(code);
  }

  #redeemRefreshToken(client: OAuthClient, value: string): TokenAnswer {
    const grant = this.#state.value.refreshTokens[value];
    Reflect.deleteProperty(this.#state.value.refreshTokens, value);
    if (grant?.clientId !== client.clientId) {
      throw new TokenRefused('bad_refresh_token', 'The refresh token passed is incorrect or expired.');
    }
    this.exchanges.push({ grantType: 'refresh_token', pkce: false });
    return this.#issue(grant);
  }

  #issue({ clientId, login, scopes }: IssuedToken): TokenAnswer {
    const grant = { clientId, login, scopes };
    const accessToken = `${this.#tokenPrefix}${randomBytes(20).toString('hex')}`;
    const answer: TokenAnswer = { access_token: accessToken, token_type: 'bearer', scope: scopes.join(',') };
    if (this.tokenLifetimeMs === undefined) {
      this.#state.value.tokens[accessToken] = grant;
      this.#state.save();
      return answer;
    }
    const refreshToken = `ghr_${randomBytes(20).toString('hex')}`;
    this.#state.value.tokens[accessToken] = { ...grant, expiresAt: this.#now() + this.tokenLifetimeMs };
    this.#state.value.refreshTokens[refreshToken] = grant;
    this.#state.save();
    return { ...answer, expires_in: Math.round(this.tokenLifetimeMs / 1000), refresh_token: refreshToken };
  }
}

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
