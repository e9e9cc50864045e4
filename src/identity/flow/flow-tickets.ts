import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { consent } from '../../audit/index.js';
import { AppError } from '../../common/errors/index.js';
import { FLOW_CONFIG, type FlowConfig } from '../../config/index.js';
import { SealedToken } from './sealed-token.js';

const flowTicket = z.strictObject({
  /** The user who asked; nobody else may go on. */
  sub: z.string(),
  /** The purpose of the consent, as shown to users. */
  display: z.strictObject({
    provider: z.string(),
    /** The account at the provider that the user connected before. */
    account: z.string().optional(),
    scopes: z.array(z.strictObject({ allows: z.string(), why: z.string().optional() })),
    tool: z.string(),
  }),
  authorizationUrl: z.url(),
  sessionUri: z.string(),
  customState: z.string(),
  /** The run that waits for this consent, for the audit trail and for the message to the waiting page. */
  consent,
  /** Unix milliseconds. */
  expiresAt: z.number(),
});

/** The data that the agent role passes to the session-binding role through the user's browser. */
export type FlowTicket = z.infer<typeof flowTicket>;

const CONNECT_PATH = '/oauth2/connect';

/** Tickets for `/oauth2/connect`: encrypted, valid for ten minutes, and stored nowhere. */
@Injectable()
export class FlowTickets {
  readonly #sealed: SealedToken<FlowTicket>;
  readonly #publicUrl: string;
  readonly #authorizationOrigin: string;

  constructor(@Inject(FLOW_CONFIG) flow: FlowConfig) {
    this.#sealed = new SealedToken({ flow, purpose: 'flow-ticket', schema: flowTicket });
    this.#publicUrl = flow.publicUrl;
    this.#authorizationOrigin = flow.authorizationOrigin;
  }

  /** The connect link: the only authorization link that a user is ever shown. */
  async connectUrl(ticket: FlowTicket): Promise<string> {
    const url = new URL(CONNECT_PATH, this.#publicUrl);
    url.searchParams.set('ticket', await this.#sealed.seal(ticket, ticket.expiresAt));
    return url.href;
  }

  /** @throws AppError `flow_invalid` | `flow_expired` */
  async open(sealed: string): Promise<FlowTicket> {
    const ticket = await this.#sealed.open(sealed);
    // An attacker who knows FLOW_SECRET must still not be able to redirect a user to another site.
    if (new URL(ticket.authorizationUrl).origin !== this.#authorizationOrigin)
      throw new AppError('flow_invalid', { reason: 'authorization_url' });
    return ticket;
  }
}
