import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Audit } from '../audit/index.js';
import { annotateContext } from '../common/context/index.js';
import { ApiProblem, jsonSchema } from '../common/openapi/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { Conversations } from './conversations.js';
import type { Page as ListPage } from './lines.js';
import {
  conversationDetail,
  conversationId,
  conversationList,
  conversationChange,
  listQuery,
  readQuery,
} from './sessions.schemas.js';
import { conversationView, type ConversationView } from './transcript.js';

/** A user's own conversations. Another user's id is answered exactly as one that does not exist. */
@ApiTags('Conversations')
@Controller('sessions')
export class SessionsController {
  readonly #conversations: Conversations;
  readonly #audit: Audit;

  constructor(conversations: Conversations, audit: Audit) {
    this.#conversations = conversations;
    this.#audit = audit;
  }

  @Get()
  @ApiOperation({
    operationId: 'listConversations',
    summary: 'Your conversations, the latest first',
    description:
      'In order to the minute of their last turn. `next` leads to the next page; a page may have fewer than `limit`.',
  })
  @ApiResponse({ status: 200, description: 'The conversations', schema: jsonSchema(conversationList) })
  @ApiProblem(
    'invalid_request',
    'unauthenticated',
    'sign_in_throttled',
    'sign_in_keys_unavailable',
    'sessions_unavailable',
    'internal_error',
  )
  async list(
    @CurrentUser() user: User,
    @Query({ schema: listQuery }) { limit, after }: z.infer<typeof listQuery>,
  ): Promise<ListPage> {
    const page = { limit, ...(after !== undefined && { after }) };
    const listed = await this.#conversations.list(user.sub, page);
    this.#audit.record('conversations_listed', { user: user.sub });
    return listed;
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'readConversation',
    summary: 'One conversation with its messages',
    description:
      'The latest turns first come as one page, in order; `nextBefore` leads to the page of earlier ones.',
  })
  @ApiResponse({ status: 200, description: 'The conversation', schema: jsonSchema(conversationDetail) })
  @ApiProblem(
    'invalid_request',
    'unauthenticated',
    'session_not_found',
    'sign_in_throttled',
    'sign_in_keys_unavailable',
    'session_unreadable',
    'sessions_unavailable',
    'internal_error',
  )
  async read(
    @CurrentUser() user: User,
    @Param('id', { schema: conversationId }) id: string,
    @Query({ schema: readQuery }) { limit, before }: z.infer<typeof readQuery>,
  ): Promise<ConversationView> {
    const page = { limit, ...(before !== undefined && { before }) };
    const found = await this.#conversations.read(user.sub, id, page);
    this.#record('conversation_read', user, id);
    return conversationView(found);
  }

  @Patch(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'renameConversation', summary: 'Give a conversation another title' })
  @ApiBody({ schema: jsonSchema(conversationChange, 'input') })
  @ApiResponse({ status: 204, description: 'Renamed' })
  @ApiProblem(
    'invalid_request',
    'unauthenticated',
    'cross_site_request',
    'session_not_found',
    'session_busy',
    'payload_too_large',
    'unsupported_media_type',
    'sign_in_throttled',
    'sign_in_keys_unavailable',
    'session_unreadable',
    'sessions_unavailable',
    'internal_error',
  )
  async rename(
    @CurrentUser() user: User,
    @Param('id', { schema: conversationId }) id: string,
    @Body({ schema: conversationChange }) { title }: z.infer<typeof conversationChange>,
  ): Promise<void> {
    await this.#conversations.rename(user.sub, id, title);
    this.#record('conversation_renamed', user, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteConversation', summary: 'Delete a conversation for good' })
  @ApiResponse({ status: 204, description: 'Deleted' })
  @ApiProblem(
    'invalid_request',
    'unauthenticated',
    'cross_site_request',
    'session_not_found',
    'session_busy',
    'sign_in_throttled',
    'sign_in_keys_unavailable',
    'sessions_unavailable',
    'internal_error',
  )
  async delete(
    @CurrentUser() user: User,
    @Param('id', { schema: conversationId }) id: string,
  ): Promise<void> {
    await this.#conversations.delete(user.sub, id);
    this.#record('conversation_deleted', user, id);
  }

  /** After it was done: what was refused is in no trail. */
  #record(
    event: 'conversation_read' | 'conversation_renamed' | 'conversation_deleted',
    { sub }: User,
    sessionId: string,
  ): void {
    annotateContext({ sessionId, chosenByClient: ['sessionId'] });
    this.#audit.record(event, { user: sub, sessionId });
  }
}
