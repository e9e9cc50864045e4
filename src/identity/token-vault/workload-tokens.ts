import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { untilAborted } from '../../common/deadline/index.js';
import { AppError } from '../../common/errors/index.js';
import { IDENTITY_CONFIG, type AgentIdentityConfig } from '../../config/index.js';
import type { User } from '../sign-in/index.js';
import { TOKEN_VAULT, WorkloadTokenRejectedError, type TokenVault } from './token-vault.js';

/**
 * The lifetime of these tokens is undocumented, so they are cached for a short time. A token that expires earlier is replaced
 * once.
 */
const TIME_TO_LIVE_MS = 5 * 60_000;
const MAXIMUM_USERS = 5_000;

/** A cache of workload access tokens by user. It is in memory and bounded, and parallel calls share one fetch. */
@Injectable()
export class WorkloadTokens {
  readonly #cache: LRUCache<string, string, User | undefined>;

  constructor(
    @Inject(TOKEN_VAULT) vault: TokenVault,
    @Inject(IDENTITY_CONFIG) identity: AgentIdentityConfig,
  ) {
    this.#cache = new LRUCache<string, string, User | undefined>({
      max: MAXIMUM_USERS,
      ttl: TIME_TO_LIVE_MS,
      fetchMethod: (_key, _stale, { context }) =>
        vault.workloadAccessToken(identity.workloadIdentityName, context),
    });
  }

  /**
   * Calls `work` with the user's token, or with the workload's own token when there is no user. When the service rejects the
   * token, it calls `work` once more with a fresh one.
   * @throws AppError `identity_unavailable` when `signal` aborts: the caller stops waiting for a token that others share
   */
  async use<T>(
    user: User | undefined,
    work: (workloadAccessToken: string) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const key = cacheKey(user);
    const token = await this.#fetch(key, user, signal);
    try {
      return await work(token);
    } catch (error) {
      if (!(error instanceof WorkloadTokenRejectedError)) throw error;
      // A parallel call may already be fetching the next token, so only the rejected token is removed.
      if (this.#cache.peek(key) === token) this.#cache.delete(key);
      return work(await this.#fetch(key, user, signal));
    }
  }

  async #fetch(key: string, user: User | undefined, signal: AbortSignal | undefined): Promise<string> {
    const fetched = (): Promise<string> => this.#cache.forceFetch(key, { context: user });
    if (signal === undefined) return fetched();
    try {
      return await untilAborted(signal, fetched);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new AppError('identity_unavailable', { reason: 'aborted', cause: error });
    }
  }
}

function cacheKey(user: User | undefined): string {
  if (user === undefined) return 'workload';
  if (user.userToken === undefined) return `user:${user.sub}`;
  return `token:${user.sub}:${createHash('sha256').update(user.userToken).digest('base64url')}`;
}
