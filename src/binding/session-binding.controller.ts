import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { sendPage } from '../common/http/index.js';
import { CurrentUser, type User } from '../identity/index.js';
import { alreadyDonePage, donePage } from './pages.js';
import { SessionBinding } from './session-binding.js';

/** After consent: AgentCore Identity sends the browser here, and the provider's token is bound, or not. */
@Controller('oauth2/session-binding')
export class SessionBindingController {
  readonly #binding: SessionBinding;

  constructor(binding: SessionBinding) {
    this.#binding = binding;
  }

  @Get()
  async bind(
    @CurrentUser() user: User,
    @Query() parameters: Readonly<Record<string, unknown>>,
    @Headers('cookie') cookies: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bound = await this.#binding.bind(user, parameters, cookies);
    if (bound.kind === 'already_done') {
      sendPage(reply, 200, alreadyDonePage(bound.flow));
      return;
    }
    void reply.header('set-cookie', bound.cookie);
    sendPage(reply, 200, donePage(bound.flow));
  }
}
