import { Injectable, Logger } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { AppError, errorFields } from '../common/errors/index.js';
import { RevocationTickets } from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import { ResourceTokens } from '../identity/token-vault/index.js';
import { Receipts } from '../receipts/index.js';
import { Connections } from './connections.js';
import { Latch } from './latch.js';
import { settingsUrlOf } from './provider.js';
import { tokenRequest } from './token-request.js';
import { ToolRegistry, type ProviderTools } from './tool-registry.js';

/** What became of a connection. */
export interface Disconnected {
  readonly provider: string;
  /** The account's name that was connected, where it was known. */
  readonly account: string | undefined;
  readonly settingsUrl: string;
  /**
   * `to_revoke`: bring `ticket` to session binding. `none`: the vault gives out no token. `by_user`: this deployment cannot
   * end the grant, so it still stands at the provider. `unknown`: the vault does not answer.
   */
  readonly grant: 'to_revoke' | 'none' | 'by_user' | 'unknown';
  readonly ticket: string | undefined;
}

/**
 * Ends the use of a user's account. The vault cannot forget a token, so the tools stop using it, and the tokens that it still
 * gives out are sealed for session binding, which has the client's secret and ends the grant at the provider.
 */
@Injectable()
export class Disconnection {
  readonly #logger = new Logger(Disconnection.name);
  readonly #registry: ToolRegistry;
  readonly #connections: Connections;
  readonly #latch: Latch;
  readonly #resourceTokens: ResourceTokens;
  readonly #tickets: RevocationTickets;
  readonly #receipts: Receipts;
  readonly #audit: Audit;

  constructor(
    registry: ToolRegistry,
    connections: Connections,
    latch: Latch,
    resourceTokens: ResourceTokens,
    tickets: RevocationTickets,
    receipts: Receipts,
    audit: Audit,
  ) {
    [this.#registry, this.#connections, this.#latch] = [registry, connections, latch];
    [this.#resourceTokens, this.#tickets] = [resourceTokens, tickets];
    [this.#receipts, this.#audit] = [receipts, audit];
  }

  /** Calls in progress end as they began; no later one uses the account. @throws AppError `not_found` | `sessions_unavailable` */
  async disconnect(user: User, provider: string): Promise<Disconnected> {
    const offered = this.#registry.providers().find((each) => each.provider.id === provider);
    if (offered === undefined) throw new AppError('not_found', { reason: 'no_such_provider' });
    const before = await this.#connections.read(user.sub, provider);
    const account = before?.connection.account?.login;
    await this.#latch.close(user.sub, provider);
    const tokens = await this.#tokens(user, offered);
    this.#audit.record('connection_closed', { user: user.sub, provider, tokens: tokens?.size ?? 0 });
    await this.#receipts.write(user.sub, {
      kind: 'disconnected',
      provider,
      ...(account !== undefined && { account }),
    });
    const grant = grantOf(tokens, offered);
    const ticket =
      grant === 'to_revoke'
        ? await this.#tickets.seal({
            sub: user.sub,
            provider,
            tokens: [...(tokens ?? [])],
            ...(account !== undefined && { account }),
          })
        : undefined;
    return { provider, account, settingsUrl: settingsUrlOf(offered), grant, ticket };
  }

  /** The tokens that the vault gives out without asking the user; undefined where it does not answer. */
  async #tokens(user: User, offered: ProviderTools): Promise<ReadonlySet<string> | undefined> {
    const accesses = new Map(
      offered.tools
        .filter(({ access }) => access.flow !== 'M2M')
        .map(({ access }) => [access.scopes.join(' '), access]),
    );
    try {
      const answers = await Promise.all(
        [...accesses.values()].map((access) => this.#resourceTokens.get(user, tokenRequest(offered, access))),
      );
      return new Set(answers.flatMap((answer) => (answer.kind === 'token' ? answer.accessToken : [])));
    } catch (error) {
      this.#logger.error({ event: 'vault_not_asked', provider: offered.provider.id, ...errorFields(error) });
      return undefined;
    }
  }
}

function grantOf(tokens: ReadonlySet<string> | undefined, { config }: ProviderTools): Disconnected['grant'] {
  if (tokens === undefined) return 'unknown';
  if (tokens.size === 0) return 'none';
  return config.isRevocable === true ? 'to_revoke' : 'by_user';
}
