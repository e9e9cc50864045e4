import { Body, Controller, Get, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendPage } from '../common/http/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { Connect } from './connect.js';
import { BrowserAnswers } from './browser-answers.js';
import { connectPage } from './pages.js';

/** The page before consent. The agent's links lead to this page only. */
@Controller('oauth2/connect')
export class ConnectController {
  readonly #connect: Connect;
  readonly #answers: BrowserAnswers;

  constructor(connect: Connect, answers: BrowserAnswers) {
    this.#connect = connect;
    this.#answers = answers;
  }

  @Get()
  async ask(
    @CurrentUser() user: User,
    @Query() { ticket }: Readonly<Record<string, unknown>>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (ticket === undefined && (await this.#answers.sendKept(user, request, reply))) return;
    await this.#answers.answer(user, request, reply, async () => {
      const step = await this.#connect.open(user, ticket);
      if (step.kind === 'result') return step.result;
      sendPage(reply, 200, connectPage(step.ticket, String(ticket), user));
      return undefined;
    });
  }

  @Post()
  async go(
    @CurrentUser() user: User,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const ticket = typeof body === 'object' && body !== null && 'ticket' in body ? body.ticket : undefined;
    await this.#answers.answer(user, request, reply, async () => {
      const step = await this.#connect.start(user, ticket, request.headers.cookie);
      if (step.kind === 'result') return step.result;
      if (step.kind === 'go') void reply.header('set-cookie', step.cookie);
      void reply.redirect(step.ticket.authorizationUrl, 303);
      return undefined;
    });
  }
}
