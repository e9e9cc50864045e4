import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { FlowAnswers } from './flow-answers.js';
import type { FlowResult } from './flow-results.js';
import { SessionBinding, type Bound } from './session-binding.js';

/** After consent: AgentCore Identity sends the browser here, and the provider's token is bound, or not. */
@Controller('oauth2/session-binding')
export class SessionBindingController {
  readonly #binding: SessionBinding;
  readonly #answers: FlowAnswers;

  constructor(binding: SessionBinding, answers: FlowAnswers) {
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
      const bound = await this.#binding.bind(user, parameters, request.headers.cookie);
      void reply.header('set-cookie', bound.cookies);
      return resultOf(bound);
    });
  }
}

function resultOf({ kind, record }: Bound): FlowResult {
  const { provider, account, consent } = record;
  const { sessionId, interruptId } = consent;
  const about = { provider, ...(account !== undefined && { account }) };
  return kind === 'already_done'
    ? { kind, ...about }
    : { kind, ...about, waiting: { sessionId, interruptId } };
}
