import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { FLOW_CONFIG, type FlowConfig } from '../../config/index.js';
import { SealedToken } from './sealed-token.js';

const revocationTicket = z.strictObject({
  /** The user who disconnects; nobody else may bring this. */
  sub: z.string(),
  /** The provider's id. */
  provider: z.string(),
  /** The account's name at the provider, for the receipt. */
  account: z.string().exactOptional(),
  /** The tokens that are to stop working. */
  tokens: z.array(z.string()).min(1),
});

/** What the agent role passes to session binding, which has the client's secret, through the user's browser. */
export type RevocationTicket = z.infer<typeof revocationTicket>;

const LIFETIME_MS = 60_000;

/**
 * Tickets for `/oauth2/revocation`. They hold the user's tokens, encrypted for one minute: one role may fetch tokens, another
 * one may end grants, and neither may do both.
 */
@Injectable()
export class RevocationTickets {
  readonly #sealed: SealedToken<RevocationTicket>;

  constructor(@Inject(FLOW_CONFIG) flow: FlowConfig) {
    this.#sealed = new SealedToken({ flow, purpose: 'revocation-ticket', schema: revocationTicket });
  }

  /** Encrypts a ticket for a minute. */
  seal(ticket: RevocationTicket): Promise<string> {
    return this.#sealed.seal(ticket, Date.now() + LIFETIME_MS);
  }

  /** @throws AppError `flow_invalid` | `flow_expired` */
  open(sealed: string): Promise<RevocationTicket> {
    return this.#sealed.open(sealed);
  }
}
