import { Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { AppError, errorFields } from '../../common/errors/index.js';
import { CONFIG, isSafeUrl, type AlbConfig, type AppConfig } from '../../config/index.js';
import { displayNameOf, isSubject, refuseToken, type TokenFault } from './alb-token.js';
import { onlyHeader, type SignedIn, type SignIn } from './sign-in.js';

/** A header of the load balancer's is at most as long. */
const MAXIMUM_LENGTH = 16_384;
const SCHEME = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;
/** Asymmetric ones: nobody who can verify can sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const TIMEOUT_MS = 2_500;
/** After a look at the issuer that came to nothing. */
const RETRY_AFTER_MS = 5_000;
const FAULTS: Readonly<Record<string, TokenFault>> = {
  iss: 'issuer',
  exp: 'expired',
  nbf: 'expired',
  sub: 'subject',
};

/**
 * Verifies the identity provider's own access tokens (RFC 6750, RFC 9068), for places without a load balancer in front,
 * such as AgentCore Runtime, which verifies them first. Issuer and client are those of the load balancer's sign-in.
 */
@Injectable()
export class BearerTokenVerifier implements SignIn {
  readonly #logger = new Logger('BearerToken');
  readonly #expected: AlbConfig;
  #keys: { readonly of: Promise<ReturnType<typeof createRemoteJWKSet>>; readonly until: number } | undefined;

  constructor(@Inject(CONFIG) config: AppConfig) {
    this.#expected = config.alb;
  }

  tokenOf(request: FastifyRequest): string | undefined {
    return SCHEME.exec(onlyHeader(request, 'authorization') ?? '')?.[1];
  }

  async verify(token: string): Promise<SignedIn> {
    if (token.length > MAXIMUM_LENGTH) throw refuseToken('shape');
    const keys = await this.#issuerKeys();
    const { payload } = await jwtVerify(token, keys, {
      issuer: this.#expected.issuer,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'sub'],
    }).catch((error: unknown) => {
      throw this.#explain(error as Error);
    });
    if (!isFor(payload, this.#expected.clientId)) throw refuseToken('client');
    if (!isSubject(payload.sub)) throw refuseToken('subject');
    return { subject: payload.sub, displayName: displayNameOf(payload) };
  }

  /** Keys are fetched for a `kid` that is not known at most twice a minute, whoever sends what. */
  #issuerKeys(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    if (this.#keys !== undefined && this.#keys.until > Date.now()) return this.#keys.of;
    const keys = { of: this.#discover(), until: Number.POSITIVE_INFINITY };
    keys.of.catch(() => {
      keys.until = Date.now() + RETRY_AFTER_MS;
    });
    this.#keys = keys;
    return keys.of;
  }

  /** OpenID Connect Discovery 1.0, 4: the document must name the issuer that it was asked of. */
  async #discover(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    const { issuer } = this.#expected;
    try {
      const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
      const document = (await response.json()) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
      const keys = typeof document.jwks_uri === 'string' ? new URL(document.jwks_uri) : undefined;
      if (!response.ok || document.issuer !== issuer || keys === undefined || !isSafeUrl(keys)) {
        throw new TypeError('The discovery document is not of this issuer');
      }
      return createRemoteJWKSet(keys, { timeoutDuration: TIMEOUT_MS, cooldownDuration: 30_000 });
    } catch (error) {
      this.#logger.warn({ event: 'discovery_failed', ...errorFields(error) });
      throw new AppError('sign_in_keys_unavailable', { reason: 'discovery', cause: error });
    }
  }

  #explain(error: Error): AppError {
    if (error instanceof errors.JWTExpired) return refuseToken('expired', error);
    if (error instanceof errors.JWTClaimValidationFailed)
      return refuseToken(FAULTS[error.claim] ?? 'header', error);
    if (error instanceof errors.JWKSNoMatchingKey) return refuseToken('unknown_key', error);
    if (error instanceof errors.JWSSignatureVerificationFailed) return refuseToken('signature', error);
    if (isAboutTheToken(error)) return refuseToken('header', error);
    this.#logger.warn({ event: 'key_fetch_failed', ...errorFields(error) });
    return new AppError('sign_in_keys_unavailable', { reason: 'key_host', cause: error });
  }
}

function isAboutTheToken(error: Error): boolean {
  return [
    errors.JWSInvalid,
    errors.JWTInvalid,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSMultipleMatchingKeys,
  ].some((kind) => error instanceof kind);
}

/** An access token names whom it is for by `aud`; Amazon Cognito's by `client_id` alone. An ID token is none. */
function isFor(payload: JWTPayload, clientId: string): boolean {
  if ('token_use' in payload && payload.token_use !== 'access') return false;
  if (payload.aud === undefined) return payload.client_id === clientId;
  return [payload.aud].flat().includes(clientId);
}
