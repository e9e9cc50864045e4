import { Body, Controller, Get, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Audit } from '../audit/index.js';
import { AppError } from '../common/errors/index.js';
import { asAppError, sendPage } from '../common/http/index.js';
import { CurrentUser, FlowTickets, type FlowTicket, type User } from '../identity/index.js';
import { FlowCookies } from './flow-cookies.js';
import { connectPage } from './pages.js';
import { sameText } from './same-text.js';

/**
 * Before consent: the link that the agent gave out leads here, and nowhere else. Whoever opens it must be the user who
 * asked, or they never get to see the provider; and their browser takes the flow cookie along.
 */
@Controller('oauth2/connect')
export class ConnectController {
  readonly #tickets: FlowTickets;
  readonly #cookies: FlowCookies;
  readonly #audit: Audit;

  constructor(tickets: FlowTickets, cookies: FlowCookies, audit: Audit) {
    this.#tickets = tickets;
    this.#cookies = cookies;
    this.#audit = audit;
  }

  @Get()
  async ask(
    @CurrentUser() user: User,
    @Query('ticket') sealed: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const ticket = await this.#open(sealed, user);
    this.#audit.record('consent_opened', { user: user.sub, ...ticket.consent });
    sendPage(reply, 200, connectPage(ticket, String(sealed), user.displayName));
  }

  @Post()
  async go(@CurrentUser() user: User, @Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    const sealed = typeof body === 'object' && body !== null && 'ticket' in body ? body.ticket : undefined;
    const ticket = await this.#open(sealed, user);
    const { sub, sessionUri, customState, words, consent, expiresAt } = ticket;
    const providerLabel = words.provider;
    const flow = { sub, sessionUri, customState, providerLabel, consent, expiresAt, done: false };
    const cookie = await this.#cookies.write(flow);
    this.#audit.record('consent_started', { user: user.sub, ...consent });
    void reply.header('set-cookie', cookie).redirect(ticket.authorizationUrl, 303);
  }

  async #open(sealed: unknown, user: User): Promise<FlowTicket> {
    let ticket: FlowTicket | undefined;
    try {
      if (typeof sealed !== 'string' || sealed === '')
        throw new AppError('flow_invalid', { reason: 'ticket_missing' });
      ticket = await this.#tickets.open(sealed);
      if (!sameText(ticket.sub, user.sub))
        throw new AppError('flow_wrong_account', { reason: 'ticket_of_another_user' });
      return ticket;
    } catch (error) {
      const { code, reason = 'unknown' } = asAppError(error);
      this.#audit.record('consent_refused', { user: user.sub, ...ticket?.consent, code, reason });
      throw error;
    }
  }
}
