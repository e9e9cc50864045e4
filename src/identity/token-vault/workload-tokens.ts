import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { IDENTITY_CONFIG, type AgentIdentityConfig } from '../../config/index.js';
import type { User } from '../sign-in/index.js';
import { TOKEN_VAULT, WorkloadTokenRejectedError, type TokenVault } from './token-vault.js';

/** Their lifetime is undocumented, so a short one of our own; a token that dies earlier is replaced once. */
const TIME_TO_LIVE_MS = 5 * 60_000;
const MAXIMUM_USERS = 5_000;

/** Workload access tokens by user: in memory, bounded, and fetched once however many ask at the same time. */
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
   * Calls `work` with the user's token (the workload's own when there is no user), and once more with a fresh one when
   * the service rejects it.
   */
  async use<T>(user: User | undefined, work: (workloadAccessToken: string) => Promise<T>): Promise<T> {
    const key = cacheKey(user);
    const token = await this.#fetch(key, user);
    try {
      return await work(token);
    } catch (error) {
      if (!(error instanceof WorkloadTokenRejectedError)) throw error;
      // A call beside this one may be fetching the next token already: only the rejected one goes.
      if (this.#cache.peek(key) === token) this.#cache.delete(key);
      return work(await this.#fetch(key, user));
    }
  }

  #fetch(key: string, user: User | undefined): Promise<string> {
    return this.#cache.forceFetch(key, { context: user });
  }
}

function cacheKey(user: User | undefined): string {
  if (user === undefined) return 'workload';
  if (user.userToken === undefined) return `user:${user.sub}`;
  return `token:${user.sub}:${createHash('sha256').update(user.userToken).digest('base64url')}`;
}
