import { createRemoteJWKSet, jwtVerify } from 'jose';
import { unauthorized } from './errors.ts';

/** An OIDC issuer whose JWTs are accepted as user tokens. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
}

/** Verifies a user's JWT against the trusted issuers and returns the user's key: issuer and subject. */
export class UserTokens {
  readonly #issuers: readonly (TrustedIssuer & { readonly keys: ReturnType<typeof createRemoteJWKSet> })[];

  constructor(issuers: readonly TrustedIssuer[]) {
    this.#issuers = issuers.map((each) => ({ ...each, keys: createRemoteJWKSet(new URL(each.jwksUri)) }));
  }

  async userKey(token: string): Promise<string> {
    for (const { issuer, audience, keys } of this.#issuers) {
      try {
        const { payload } = await jwtVerify(token, keys, { issuer, audience });
        if (payload.sub !== undefined) return `${issuer}#${payload.sub}`;
      } catch {
        // Another issuer may know it.
      }
    }
    throw unauthorized('The user token is not valid');
  }
}
