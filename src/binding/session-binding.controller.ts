import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AppError } from '../common/errors/index.js';
import { sendPage } from '../common/http/index.js';
import { CurrentUser, type User } from '../identity/index.js';
import { alreadyDonePage, donePage } from './pages.js';
import { SessionBinding, type Callback } from './session-binding.js';

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
    @Query() query: unknown,
    @Headers('cookie') cookies: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bound = await this.#binding.bind(user, readCallback(query), cookies);
    if (bound.kind === 'already_done') {
      sendPage(reply, 200, alreadyDonePage(bound.flow.provider));
      return;
    }
    void reply.header('set-cookie', bound.cookie);
    sendPage(reply, 200, donePage(bound.flow));
  }
}

const SESSION_URI = /^urn:ietf:params:oauth:request_uri:[A-Za-z0-9\-._~]{1,980}$/;
const LONGEST_STATE = 4_096;

/** Each parameter once, and of the form that the service gives it. */
function readCallback(query: unknown): Callback {
  const parameters = query as Readonly<Record<string, unknown>>;
  const { session_id: sessionUri, state, error } = parameters;
  const denied = typeof error === 'string' && error !== '';
  if (sessionUri === undefined && denied)
    throw new AppError('flow_denied', { reason: 'denied_without_session' });
  if (typeof sessionUri !== 'string' || !SESSION_URI.test(sessionUri)) {
    throw new AppError('flow_invalid', { reason: 'session_id' });
  }
  if (state !== undefined && (typeof state !== 'string' || state.length > LONGEST_STATE)) {
    throw new AppError('flow_invalid', { reason: 'state' });
  }
  return { sessionUri, denied, ...(state !== undefined && { state }) };
}
