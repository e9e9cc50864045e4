import { Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { AppError } from '../common/errors/index.js';
import { asAppError } from '../common/http/index.js';
import {
  digestOf,
  FlowLedger,
  flowIdOf,
  FlowTickets,
  type FlowState,
  type FlowTicket,
  type LedgerEntry,
} from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import { FlowCookies } from './flow-cookies.js';
import type { FlowResult } from './flow-results.js';
import { sameText } from './same-text.js';
import { withoutConflict } from './without-conflict.js';

/** The page for the user, or the address that the browser goes to. */
export type ConnectStep =
  | { readonly kind: 'ask'; readonly ticket: FlowTicket }
  | { readonly kind: 'go'; readonly ticket: FlowTicket; readonly cookie: string }
  | { readonly kind: 'result'; readonly result: FlowResult };

/** The ticket and its flow, for the audit trail. A part that could not be read is undefined. */
interface Attempt {
  ticket?: FlowTicket;
  entry?: LedgerEntry;
}

const MAXIMUM_BROWSERS = 4;

/** The step before consent. Only the user who asked may go on to the provider, and only while the flow is open. */
@Injectable()
export class Connect {
  readonly #tickets: FlowTickets;
  readonly #ledger: FlowLedger;
  readonly #cookies: FlowCookies;
  readonly #audit: Audit;

  constructor(tickets: FlowTickets, ledger: FlowLedger, cookies: FlowCookies, audit: Audit) {
    this.#tickets = tickets;
    this.#ledger = ledger;
    this.#cookies = cookies;
    this.#audit = audit;
  }

  /**
   * Handles the opening of the link.
   * @throws AppError `flow_invalid` | `flow_expired` | `flow_burnt` | `flow_wrong_account` | `flows_unavailable`
   */
  open(user: User, sealed: unknown): Promise<ConnectStep> {
    return this.#attempt(user, sealed, async (ticket, entry) => {
      if (entry.record.state === 'asked') {
        // Another request has already opened or started the flow. The page is the same.
        await this.#ledger.advance(entry, { state: 'opened' });
      }
      this.#audit.record('consent_opened', { user: user.sub, flow: entry.id, ...ticket.consent });
      return { kind: 'ask', ticket };
    });
  }

  /**
   * Handles the press of the button: the browser gets the flow cookie and goes to the provider. @throws AppError like `open`
   */
  start(user: User, sealed: unknown, cookieHeader: string | undefined): Promise<ConnectStep> {
    return this.#attempt(user, sealed, async (ticket, entry) => {
      const nonce = this.#cookies.nonceFor(entry, cookieHeader);
      const browsers = [...new Set([...entry.record.browsers, digestOf(nonce)])].slice(-MAXIMUM_BROWSERS);
      const started = await this.#ledger.advance(entry, { state: 'started', browsers });
      if (started === 'conflict') return started;
      this.#audit.record('consent_started', { user: user.sub, flow: entry.id, ...ticket.consent });
      return { kind: 'go', ticket, cookie: this.#cookies.write(started, nonce) };
    });
  }

  async #attempt(
    user: User,
    sealed: unknown,
    step: (ticket: FlowTicket, entry: LedgerEntry) => Promise<ConnectStep | 'conflict'>,
  ): Promise<ConnectStep> {
    const attempt: Attempt = {};
    try {
      const ticket = await this.#ticketOf(attempt, user, sealed);
      return await withoutConflict(async () => {
        const entry = await this.#ledger.read(ticket.sessionUri);
        if (entry === undefined) throw new AppError('flow_expired', { reason: 'no_such_flow' });
        attempt.entry = entry;
        const result = resultOf(entry);
        return result === undefined ? step(ticket, entry) : { kind: 'result', result };
      });
    } catch (error) {
      this.#recordRefusal(attempt, user, error);
      throw error;
    }
  }

  async #ticketOf(attempt: Attempt, user: User, sealed: unknown): Promise<FlowTicket> {
    if (typeof sealed !== 'string' || sealed === '')
      throw new AppError('flow_invalid', { reason: 'ticket_missing' });
    const ticket = await this.#tickets.open(sealed);
    attempt.ticket = ticket;
    if (!sameText(ticket.sub, user.sub))
      throw new AppError('flow_wrong_account', { reason: 'ticket_of_another_user' });
    return ticket;
  }

  #recordRefusal({ ticket, entry }: Attempt, user: User, error: unknown): void {
    const { code, reason = 'unknown' } = asAppError(error);
    const flowState: FlowState | undefined = entry?.record.state;
    this.#audit.record('consent_refused', {
      user: user.sub,
      ...(ticket !== undefined && {
        ...ticket.consent,
        flow: flowIdOf(ticket.sessionUri),
        owner: ticket.sub,
      }),
      ...(flowState !== undefined && { flowState }),
      code,
      reason,
    });
  }
}

/** The answer for a flow that cannot be started any more; undefined while it can be started. */
function resultOf({ record }: LedgerEntry): FlowResult | undefined {
  const { state, provider, account } = record;
  const about = { provider, ...(account !== undefined && { account }) };
  switch (state) {
    case 'asked':
    case 'opened':
    case 'started':
      return undefined;
    case 'returned':
      return { kind: 'in_progress', ...about };
    case 'bound':
      return { kind: 'already_done', ...about };
    case 'denied':
      return { kind: 'denied', ...about };
    case 'expired':
      throw new AppError('flow_expired', { reason: 'ended_before' });
    case 'burnt':
      throw new AppError('flow_burnt', { reason: 'burnt_before' });
  }
}
