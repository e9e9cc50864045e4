import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Connections, type KnownConnection } from './connections.js';
import type { ProviderCallContext } from './agent-tool.decorator.js';
import type { Account } from './provider.js';
import { ToolError } from './tool.errors.js';

/** The account of a token, compared with the account before. */
export type AccountCheck =
  | { readonly kind: 'same'; readonly account: Account; readonly identifiedNow: boolean }
  | { readonly kind: 'changed'; readonly before: Account; readonly now: Account };

/** A provider, by its id, that tells whose token it is. */
interface AccountSource {
  readonly provider: string;
  readonly identify: (context: ProviderCallContext) => Promise<Account>;
}

interface Token {
  readonly sub: string;
  readonly accessToken: string;
  readonly signal: AbortSignal;
  /** The connection as it was read a moment ago. */
  readonly known: KnownConnection | undefined;
}

const MAXIMUM_TOKENS = 5_000;
const KEPT_MS = 10 * 60_000;
/** A connection in use is written anew after this, so that no lifecycle rule takes it for forgotten. */
const RENEWED_AFTER_MS = 24 * 60 * 60_000;
/** Conflicting first uses of one connection. */
const MAXIMUM_CONFLICTS = 4;

/**
 * Makes sure that all of a user's calls at a provider act as one account: the first one is recorded, each token that was
 * not seen before is compared, and another account is never used without the user's consent.
 */
@Injectable()
export class Accounts {
  readonly #connections: Connections;
  /** By digest of the token: asking the provider once for each token and task is enough. */
  readonly #identified = new LRUCache<string, Account>({ max: MAXIMUM_TOKENS, ttl: KEPT_MS });

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /**
   * @param accepted the id of the account to which the user has agreed to switch
   * @throws ToolError | TokenRefusedError | AppError
   */
  async check(
    { provider, identify }: AccountSource,
    token: Token,
    accepted: string | undefined,
  ): Promise<AccountCheck> {
    const { sub, accessToken, signal, known: readBefore } = token;
    const key = createHash('sha256').update(`${provider} ${accessToken}`).digest('base64url');
    const known = this.#identified.get(key);
    const account = known ?? (await identify({ accessToken, signal, scopes: [] }));
    this.#identified.set(key, account);
    for (let conflicts = 0; conflicts < MAXIMUM_CONFLICTS; conflicts += 1) {
      const before = conflicts === 0 ? readBefore : await this.#connections.read(sub, provider, signal);
      if (before?.connection.disconnected?.at !== readBefore?.connection.disconnected?.at)
        throw new ToolError('provider_rejected', 'The user has disconnected this provider in the meantime.');
      const decided = this.#decide(account, before, known === undefined, accepted);
      if (decided !== 'record') return decided;
      if (await this.#connections.record(sub, provider, account, before, signal))
        return { kind: 'same', account, identifiedNow: true };
    }
    throw new TypeError('a connection changes faster than it can be read');
  }

  #decide(
    account: Account,
    before: KnownConnection | undefined,
    identifiedNow: boolean,
    accepted: string | undefined,
  ): AccountCheck | 'record' {
    const { account: recorded, updatedAt = 0, scopes: known = [] } = before?.connection ?? {};
    if (recorded === undefined) return 'record';
    if (recorded.id === account.id) {
      const isWider = account.scopes?.every((scope) => known.includes(scope)) === false;
      const isOld = Date.now() - updatedAt > RENEWED_AFTER_MS;
      return identifiedNow && (isOld || isWider) ? 'record' : { kind: 'same', account, identifiedNow };
    }
    return accepted === account.id ? 'record' : { kind: 'changed', before: recorded, now: account };
  }
}
