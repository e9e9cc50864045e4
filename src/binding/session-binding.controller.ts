import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { BrowserAnswers } from './browser-answers.js';
import type { FlowResult } from './flow-results.js';
import { SessionBinding, type BindingOutcome } from './session-binding.js';

/** The step after consent. AgentCore Identity sends the browser here, and the provider's token is bound or refused. */
@Controller('oauth2/session-binding')
export class SessionBindingController {
  readonly #binding: SessionBinding;
  readonly #answers: BrowserAnswers;

  constructor(binding: SessionBinding, answers: BrowserAnswers) {
    this.#binding = binding;
    this.#answers = answers;
  }

  @Get()
  async bind(
    @CurrentUser() user: User,
    @Query() parameters: Readonly<Record<string, unknown>>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const isBare = Object.keys(parameters).length === 0;
    if (isBare && (await this.#answers.sendKept(user, request, reply))) return;
    await this.#answers.answer(user, request, reply, async () => {
      const outcome = await this.#binding.bind(user, parameters, request.headers.cookie);
      void reply.header('set-cookie', outcome.cookies);
      return resultOf(outcome);
    });
  }
}

function resultOf({ kind, record }: BindingOutcome): FlowResult {
  const { provider, account, consent } = record;
  const { sessionId, interruptId } = consent;
  const about = { provider, ...(account !== undefined && { account }) };
  return kind === 'already_done'
    ? { kind, ...about }
    : { kind, ...about, waiting: { sessionId, interruptId } };
}
