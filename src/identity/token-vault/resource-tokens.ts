import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors/index.js';
import { IDENTITY_CONFIG, type IdentityConfig } from '../../config/index.js';
import type { User } from '../sign-in/index.js';
import {
  TOKEN_VAULT,
  WorkloadTokenRejectedError,
  type AuthorizationAnswer,
  type TokenVault,
  type OAuth2Flow,
  type ResourceTokenAnswer,
  type TokenAnswer,
} from './token-vault.js';
import { WorkloadTokens } from './workload-tokens.js';

/** A question for a user's token at a provider. */
export interface ResourceTokenRequest {
  /** The credential provider's name. */
  readonly provider: string;
  readonly scopes: readonly string[];
  /** Default `USER_FEDERATION`. */
  readonly flow?: OAuth2Flow;
  /** The address that the browser comes back to; default `SESSION_BINDING_URL`. */
  readonly returnUrl?: string;
  /** Asks the user again even if a token is stored; for a token that the provider has refused. */
  readonly forceAuthentication?: boolean;
  /** The state that the browser brings back; default 32 random bytes. */
  readonly customState?: string;
  /** Further parameters of the provider's authorization request. */
  readonly customParameters?: Readonly<Record<string, string>>;
  /** The caller waits no longer than until it aborts. */
  readonly signal?: AbortSignal;
}

/** A consent that the user has to give, and how to ask for it. */
export interface AuthorizationRequest extends AuthorizationAnswer {
  readonly customState: string;
  /** Unix milliseconds: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/ gives a session ten minutes. */
  readonly expiresAt: number;
}

/** A token, or the data to ask the user for one. Neither is ever logged, stored or shown to the model. */
export type ResourceToken = TokenAnswer | AuthorizationRequest;

export const AUTHORIZATION_LIFETIME_MS = 10 * 60_000;

/** Fetches provider tokens on behalf of a user. It answers immediately and never waits for a consent. */
@Injectable()
export class ResourceTokens {
  readonly #vault: TokenVault;
  readonly #workloadTokens: WorkloadTokens;
  readonly #returnUrl: string;

  constructor(
    @Inject(TOKEN_VAULT) vault: TokenVault,
    workloadTokens: WorkloadTokens,
    @Inject(IDENTITY_CONFIG) { sessionBindingUrl }: IdentityConfig,
  ) {
    this.#vault = vault;
    this.#workloadTokens = workloadTokens;
    this.#returnUrl = sessionBindingUrl;
  }

  /** @throws AppError `identity_unavailable` | `identity_misconfigured` */
  async get(user: User, request: ResourceTokenRequest): Promise<ResourceToken> {
    const flow = request.flow ?? 'USER_FEDERATION';
    const customState = request.customState ?? randomBytes(32).toString('base64url');
    const expiresAt = Date.now() + AUTHORIZATION_LIFETIME_MS;
    const query = {
      provider: request.provider,
      scopes: request.scopes,
      flow,
      returnUrl: request.returnUrl ?? this.#returnUrl,
      forceAuthentication: request.forceAuthentication ?? false,
      customState,
      customParameters: request.customParameters ?? {},
    };
    const { signal } = request;
    const owner = flow === 'M2M' ? undefined : user;
    const answer = await this.#ask(owner, signal, (workloadAccessToken) =>
      this.#vault.resourceToken({ workloadAccessToken, ...query }, signal),
    );
    return answer.kind === 'token' ? answer : { ...answer, customState, expiresAt };
  }

  async #ask(
    user: User | undefined,
    signal: AbortSignal | undefined,
    work: (workloadAccessToken: string) => Promise<ResourceTokenAnswer>,
  ): Promise<ResourceTokenAnswer> {
    try {
      return await this.#workloadTokens.use(user, work, signal);
    } catch (error) {
      if (!(error instanceof WorkloadTokenRejectedError)) throw error;
      throw new AppError('identity_unavailable', { reason: 'workload_token_rejected_twice', cause: error });
    }
  }
}
