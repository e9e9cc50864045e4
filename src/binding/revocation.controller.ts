import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { AppError } from '../common/errors/index.js';
import { asAppError } from '../common/http/index.js';
import { RevocationTickets } from '../identity/flow/index.js';
import { GRANTS, type Grants, type RevocationOutcome } from '../identity/revocation/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { Receipts } from '../receipts/index.js';
import { sameText } from './same-text.js';

/** What the provider says of an authorization that was to be ended. */
interface RevocationAnswer {
  readonly provider: string;
  readonly outcome: RevocationOutcome;
  /** Whether the user's receipts tell it. */
  readonly receipt: boolean;
}

/**
 * The end of an authorization, at the provider. This role has the client's secret and can fetch no token; the user brings it,
 * sealed by the agent role.
 */
@Controller('oauth2/revocation')
export class RevocationController {
  readonly #tickets: RevocationTickets;
  readonly #grants: Grants;
  readonly #receipts: Receipts;
  readonly #audit: Audit;

  constructor(tickets: RevocationTickets, @Inject(GRANTS) grants: Grants, receipts: Receipts, audit: Audit) {
    [this.#tickets, this.#grants, this.#receipts, this.#audit] = [tickets, grants, receipts, audit];
  }

  @Post()
  @HttpCode(200)
  async revoke(@CurrentUser() { sub }: User, @Body() body: unknown): Promise<RevocationAnswer> {
    const { provider, account, tokens } = await this.#open(sub, body);
    // The two roles are configured apart. Where nobody can ask the provider, no receipt says that it was asked.
    if (!this.#grants.canRevoke(provider)) return { provider, outcome: 'not_proven', receipt: false };
    const outcome = await this.#grants.revoke(provider, tokens);
    this.#audit.record('grant_revoked', { user: sub, provider, outcome });
    const about = account === undefined ? {} : { account };
    const receipt = await this.#receipts.write(sub, { kind: 'revoked', provider, ...about, outcome });
    return { provider, outcome, receipt };
  }

  async #open(sub: string, body: unknown): ReturnType<RevocationTickets['open']> {
    let owner: string | undefined;
    try {
      const sealed = typeof body === 'object' && body !== null && 'ticket' in body ? body.ticket : undefined;
      if (typeof sealed !== 'string' || sealed === '')
        throw new AppError('flow_invalid', { reason: 'ticket_missing' });
      const ticket = await this.#tickets.open(sealed);
      owner = ticket.sub;
      if (!sameText(ticket.sub, sub))
        throw new AppError('flow_wrong_account', { reason: 'ticket_of_another_user' });
      return ticket;
    } catch (error) {
      const { code, reason = 'unknown' } = asAppError(error);
      this.#audit.record('revocation_refused', {
        user: sub,
        ...(owner !== undefined && { owner }),
        code,
        reason,
      });
      throw error;
    }
  }
}
