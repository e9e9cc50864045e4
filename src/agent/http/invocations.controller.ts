import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblem, jsonSchema } from '../../common/openapi/index.js';
import { CurrentUser, type User } from '../../identity/sign-in/index.js';
import { agUiEvents } from '../events/index.js';
import { Runs, type RunRequest } from '../runs/index.js';
import { sendEventStream } from './event-stream.js';
import { EVENT_STREAM_DESCRIPTION, EVENT_STREAM_EXAMPLES, REQUEST_EXAMPLES } from './invocations.openapi.js';
import { goneSignal, StreamHeadersOf, type StreamHeaders } from './reader.js';
import { runRequest, withKey } from './run-request.schema.js';

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
  @ApiBody({ schema: jsonSchema(runRequest, 'input'), examples: REQUEST_EXAMPLES })
  @ApiResponse({
    status: 200,
    description: 'A stream of AG-UI events, one JSON object in each `data:` line',
    content: { 'text/event-stream': { schema: { type: 'string' }, examples: EVENT_STREAM_EXAMPLES } },
  })
  @ApiProblem(
    'invalid_request',
    'unauthenticated',
    'cross_site_request',
    'session_not_found',
    'session_unreadable',
    'session_busy',
    'run_id_used',
    'interrupt_not_pending',
    'payload_too_large',
    'unsupported_media_type',
    'too_many_runs',
    'daily_limit_reached',
    'sign_in_throttled',
    'sign_in_keys_unavailable',
    'sessions_unavailable',
    'overloaded',
    'shutting_down',
    'internal_error',
  )
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'Names the run where the body has no `runId`: the same key again is the same run, and is not done twice',
    schema: { type: 'string' },
  })
  @ApiHeader({
    name: 'x-on-disconnect',
    required: false,
    description:
      '`continue`, the default: when your connection breaks, the run goes on for a while, and you can come back to it by GET /runs/{id}/events. `cancel`: it is cancelled at once.',
    schema: { type: 'string', enum: ['continue', 'cancel'] },
  })
  async invoke(
    @CurrentUser() user: User,
    @Body({ schema: runRequest }) request: RunRequest,
    @StreamHeadersOf() { idempotencyKey, onDisconnect }: StreamHeaders,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const named = withKey(request, idempotencyKey);
    const reader = { gone: goneSignal(reply), onDisconnect };
    const { events, signal } = await this.#runs.start(user, named, reader);
    const { sessionId: threadId, runId } = named;
    await sendEventStream(reply, agUiEvents({ threadId, runId }, events), signal);
  }
}
