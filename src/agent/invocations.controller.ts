import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblem } from '../common/openapi/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { sendEventStream } from './events/event-stream.js';
import {
  EVENT_STREAM_DESCRIPTION,
  EVENT_STREAM_EXAMPLES,
  REQUEST_EXAMPLES,
  REQUEST_SCHEMA,
} from './invocations.openapi.js';
import { parseRunRequest } from './invocation.request.js';
import { Runs } from './runs.js';

/** The one door to the agent; AgentCore Runtime and AG-UI clients use the same. */
@ApiTags('Agent')
@Controller('invocations')
export class InvocationsController {
  readonly #runs: Runs;

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  @Post()
  @ApiOperation({
    operationId: 'invoke',
    summary: 'Send a message, or answer what a conversation waits for',
    description: EVENT_STREAM_DESCRIPTION,
  })
  @ApiBody({ schema: REQUEST_SCHEMA, examples: REQUEST_EXAMPLES })
  @ApiResponse({
    status: 200,
    description: 'A stream of AG-UI events, one JSON object a `data:` line',
    content: { 'text/event-stream': { schema: { type: 'string' }, examples: EVENT_STREAM_EXAMPLES } },
  })
  @ApiProblem(
    'invalid_request',
    'unauthenticated',
    'cross_site_request',
    'session_not_found',
    'session_busy',
    'interrupt_not_pending',
    'payload_too_large',
    'unsupported_media_type',
    'too_many_runs',
    'sign_in_throttled',
    'sign_in_keys_unavailable',
    'sessions_unavailable',
    'overloaded',
    'shutting_down',
    'internal_error',
  )
  async invoke(@CurrentUser() user: User, @Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    const left = new AbortController();
    reply.raw.on('close', () => {
      if (!reply.raw.writableFinished) left.abort();
    });
    const { events, signal } = await this.#runs.start(user, parseRunRequest(body), left.signal);
    await sendEventStream(reply, events, signal);
  }
}
