import { Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Audit } from '../../audit/index.js';
import { annotateContext } from '../../common/context/index.js';
import type { ErrorCode } from '../../common/errors/index.js';
import { ApiProblem } from '../../common/openapi/index.js';
import { CurrentUser, type User } from '../../identity/sign-in/index.js';
import { sessionId, type RunName } from '../../sessions/index.js';
import { agUiEvents, runId } from '../events/index.js';
import { Runs } from '../runs/index.js';
import { sendEventStream } from './event-stream.js';
import { RUN_EVENTS_DESCRIPTION } from './invocations.openapi.js';
import { goneSignal, StreamHeadersOf, type StreamHeaders } from './reader.js';

const id = runId.meta({ example: 'run-1' });
const place = z.strictObject({ sessionId: sessionId.describe('The conversation of the run') });

/** The errors of every route here. */
const PROBLEMS = [
  'invalid_request',
  'unauthenticated',
  'session_not_found',
  'run_not_found',
  'sign_in_throttled',
  'sign_in_keys_unavailable',
  'session_unreadable',
  'sessions_unavailable',
  'internal_error',
] as const satisfies readonly ErrorCode[];

/** The runs of a user's conversations: read again from any event, or stopped, from any tab and at any task. */
@ApiTags('Agent')
@Controller('runs')
export class RunsController {
  readonly #runs: Runs;
  readonly #audit: Audit;

  constructor(runs: Runs, audit: Audit) {
    this.#runs = runs;
    this.#audit = audit;
  }

  @Get(':id/events')
  @ApiOperation({
    operationId: 'readRun',
    summary: 'The events of a run, again',
    description: RUN_EVENTS_DESCRIPTION,
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The id of the last event that you have: the stream begins after it',
    schema: { type: 'integer' },
  })
  @ApiResponse({
    status: 200,
    description: 'The stream of AG-UI events of POST /invocations',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  @ApiProblem(...PROBLEMS)
  async events(
    @CurrentUser() user: User,
    @Param('id', { schema: id }) run: string,
    @Query({ schema: place }) { sessionId: conversation }: z.infer<typeof place>,
    @StreamHeadersOf() { lastEventId, onDisconnect }: StreamHeaders,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const name = nameOf(user, conversation, run);
    const { events, signal } = await this.#runs.follow(name, { gone: goneSignal(reply), onDisconnect });
    this.#audit.record('conversation_read', { user: user.sub, sessionId: conversation });
    const ids = { threadId: conversation, runId: run };
    await sendEventStream(reply, agUiEvents(ids, events, lastEventId), signal);
  }

  @Post(':id/stop')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'stopRun',
    summary: 'Stop a run',
    description:
      'The run is cancelled, and stored as far as it has come. That takes a moment, up to two seconds where another task has the run. A run that has ended is not changed.',
  })
  @ApiResponse({ status: 204, description: 'The run has been told to stop, or has ended' })
  @ApiProblem('cross_site_request', ...PROBLEMS)
  async stop(
    @CurrentUser() user: User,
    @Param('id', { schema: id }) run: string,
    @Query({ schema: place }) { sessionId: conversation }: z.infer<typeof place>,
  ): Promise<void> {
    await this.#runs.stop(nameOf(user, conversation, run));
    this.#audit.record('run_stopped', { user: user.sub, sessionId: conversation, runId: run });
  }
}

function nameOf({ sub }: User, conversation: string, run: string): RunName {
  annotateContext({ sessionId: conversation, runId: run, chosenByClient: ['sessionId', 'runId'] });
  return { sub, sessionId: conversation, runId: run };
}
