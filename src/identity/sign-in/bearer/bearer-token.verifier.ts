import { Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { AppError, errorFields } from '../../../common/errors/index.js';
import {
  ALB_CONFIG,
  discoveryUrl,
  jwksUrl,
  SIGN_IN_CONFIG,
  type AlbConfig,
  type SignInConfig,
} from '../../../config/index.js';
import {
  decodeObject,
  displayNameOf,
  isSubject,
  refuseToken,
  requireLifetime,
  type Claims,
  type TokenFault,
} from '../claims.js';
import { onlyHeader, type SignedIn, type SignIn } from '../sign-in.js';

/** The same limit as for a header of the load balancer. */
const MAXIMUM_LENGTH = 16_384;
const SCHEME = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;
/** Only asymmetric algorithms, so that a party that can verify cannot sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const TIMEOUT_MS = 2_500;
/** The pause after a failed fetch of the issuer's document or keys. */
const RETRY_AFTER_MS = 5_000;
/** The same time as for the load balancer's keys: an issuer that is down must not lock out users whose key is known. */
const KEYS_KEPT_MS = 24 * 3_600_000;
/** The accepted types. RFC 9068, 2.1; many providers write JWT, or no type. */
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
/**
 * Claims that ID tokens and logout tokens have, but access tokens do not. OpenID Connect Core 1.0, 3.1.3.6; Back-Channel
 * Logout 1.0, 2.4.
 */
const NOT_OF_ACCESS_TOKENS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'];
/** The claims with which providers name the client of a token: RFC 9068, OpenID Connect, Okta, Entra ID. */
const CLIENT_CLAIMS = ['client_id', 'azp', 'cid', 'appid'];
/** The marks of a token that the client got for itself: Auth0; Keycloak's service accounts. */
const OF_THE_CLIENT = { gty: /^client-credentials$/, preferred_username: /^service-account-/ };
const FAULTS: Readonly<Record<string, TokenFault>> = {
  iss: 'issuer',
  exp: 'expired',
  nbf: 'expired',
  sub: 'subject',
};

/** Its members are checked where they are used: they are compared, or must be a safe URL. */
const discoveryDocument = z.looseObject({ issuer: z.unknown(), jwks_uri: z.unknown() });

/** The issuer's keys could not be fetched. */
class KeyHostError extends Error {}

/**
 * Verifies the identity provider's own access tokens (RFC 6750, RFC 9068). It is for deployments without a load balancer,
 * such as AgentCore Runtime, which also verifies the tokens itself. Issuer and client are the same as for the load balancer's
 * sign-in.
 */
@Injectable()
export class BearerTokenVerifier implements SignIn {
  readonly challenge = 'Bearer';
  readonly #logger = new Logger(BearerTokenVerifier.name);
  readonly #expected: AlbConfig;
  readonly #audience: string;
  #failed: { readonly until: number; readonly error: Error } | undefined;
  #keys: { readonly of: Promise<ReturnType<typeof createRemoteJWKSet>>; readonly until: number } | undefined;

  constructor(@Inject(ALB_CONFIG) alb: AlbConfig, @Inject(SIGN_IN_CONFIG) { bearerAudience }: SignInConfig) {
    this.#expected = alb;
    this.#audience = bearerAudience;
  }

  tokenOf(request: FastifyRequest): string | undefined {
    return SCHEME.exec(onlyHeader(request, 'authorization') ?? '')?.[1];
  }

  async verify(token: string): Promise<SignedIn> {
    const payload = inspectBearerToken(token);
    const keys = await this.#issuerKeys();
    await jwtVerify(token, keys, {
      issuer: this.#expected.issuer,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'sub'],
    }).catch((error: unknown) => {
      throw this.#explain(error as Error);
    });
    requireLifetime(payload.exp, Math.floor(Date.now() / 1000));
    if (!isIssuedTo(payload, this.#expected.clientId)) throw refuseToken('client');
    if (!isFor(payload, this.#audience)) throw refuseToken('audience');
    if (isOfTheClient(payload, this.#expected.clientId)) throw refuseToken('no_user');
    if (!isSubject(payload.sub)) throw refuseToken('subject');
    return { subject: payload.sub, displayName: displayNameOf(payload) };
  }

  #issuerKeys(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    if (this.#keys !== undefined && this.#keys.until > Date.now()) return this.#keys.of;
    const keys = { of: this.#discover(), until: Number.POSITIVE_INFINITY };
    keys.of.catch(() => {
      keys.until = Date.now() + RETRY_AFTER_MS;
    });
    this.#keys = keys;
    return keys.of;
  }

  /** OpenID Connect Discovery 1.0, 4: the document must name the requested issuer. */
  async #discover(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    const { issuer } = this.#expected;
    try {
      const response = await fetch(discoveryUrl(issuer), {
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const document = discoveryDocument.parse(await response.json());
      const keys = jwksUrl(document);
      if (!response.ok || document.issuer !== issuer || keys === undefined)
        throw new TypeError('The discovery document is not of this issuer');
      return createRemoteJWKSet(keys, {
        timeoutDuration: TIMEOUT_MS,
        cooldownDuration: 30_000,
        cacheMaxAge: KEYS_KEPT_MS,
        [customFetch]: this.#fetchKeys,
      });
    } catch (error) {
      this.#logger.warn({ event: 'discovery_failed', ...errorFields(error) });
      throw new AppError('sign_in_keys_unavailable', { reason: 'discovery', cause: error });
    }
  }

  /**
   * Fetches the keys for an unknown key id at most twice a minute (the cooldown above), and after a failure at most every
   * five seconds.
   */
  readonly #fetchKeys: typeof fetch = async (url, options) => {
    if (this.#failed !== undefined && this.#failed.until > Date.now()) throw this.#failed.error;
    try {
      const response = await fetch(url, options);
      if (!response.ok) throw new TypeError(`The keys are answered with ${String(response.status)}`);
      const body: unknown = await response.json();
      return Response.json(body);
    } catch (error) {
      this.#logger.warn({ event: 'key_fetch_failed', ...errorFields(error) });
      this.#failed = {
        until: Date.now() + RETRY_AFTER_MS,
        error: new KeyHostError('no keys', { cause: error }),
      };
      throw this.#failed.error;
    }
  };

  #explain(error: Error): AppError {
    if (error instanceof errors.JWTExpired) return refuseToken('expired', error);
    if (error instanceof errors.JWTClaimValidationFailed)
      return refuseToken(FAULTS[error.claim] ?? 'header', error);
    if (error instanceof errors.JWKSNoMatchingKey) return refuseToken('unknown_key', error);
    if (error instanceof errors.JWSSignatureVerificationFailed) return refuseToken('signature', error);
    if (isAboutTheToken(error)) return refuseToken('header', error);
    // jose throws a plain TypeError for an unusable key, such as RSA of fewer than 2048 bits (RFC 7518, 3.3).
    if (error instanceof TypeError) return refuseToken('unfit_key', error);
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

/**
 * Checks everything about a token that needs no key: its shape, that each member occurs once, and the type of an access
 * token.
 * @throws AppError `unauthenticated`
 */
function inspectBearerToken(token: string): Claims {
  if (token.length > MAXIMUM_LENGTH) throw refuseToken('shape');
  const [header, payload] = token.split('.', 2).map(decodeObject);
  if (header === undefined || payload === undefined) throw refuseToken('shape');
  if (!isAccessTokenType(header.typ) || !isAccessToken(payload)) throw refuseToken('header');
  return payload;
}

function isAccessTokenType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && TYPES.has(typ.toLowerCase()));
}

function isAccessToken(payload: Claims): boolean {
  if (NOT_OF_ACCESS_TOKENS.some((name) => name in payload)) return false;
  // Keycloak and Amazon Cognito have a claim for the kind of a token.
  const { typ = 'Bearer', token_use: use = 'access' } = payload;
  return typ === 'Bearer' && use === 'access';
}

/** The token must name the client in at least one of these claims, and all of them must agree. */
function isIssuedTo(payload: Claims, clientId: string): boolean {
  const named = CLIENT_CLAIMS.filter((name) => name in payload);
  return named.length > 0 && named.every((name) => payload[name] === clientId);
}

/** Amazon Cognito's access tokens have no audience. They are for the client that they were issued to. */
function isFor(payload: Claims, audience: string): boolean {
  return payload.aud === undefined ? payload.token_use === 'access' : [payload.aud].flat().includes(audience);
}

/** Tokens of the client credentials grant (RFC 6749, 4.4) belong to no user. RFC 9068, 2.2: their subject is the client. */
function isOfTheClient(payload: Claims, clientId: string): boolean {
  const { sub, idtyp = 'user' } = payload;
  const marked = Object.entries(OF_THE_CLIENT).some(([name, pattern]) => pattern.test(String(payload[name])));
  return sub === clientId || idtyp !== 'user' || marked;
}
