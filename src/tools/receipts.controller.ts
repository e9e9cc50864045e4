import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Audit } from '../audit/index.js';
import { ApiProblem, jsonSchema } from '../common/openapi/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { Receipts } from '../receipts/index.js';
import { receiptList, receiptsQuery, viewOf } from './receipts.schemas.js';

/** What was done in a user's name. */
@ApiTags('Connections')
@Controller('receipts')
export class ReceiptsController {
  readonly #receipts: Receipts;
  readonly #audit: Audit;

  constructor(receipts: Receipts, audit: Audit) {
    this.#receipts = receipts;
    this.#audit = audit;
  }

  @Get()
  @ApiOperation({
    operationId: 'listReceipts',
    summary: 'What was done in your name, the latest first',
    description:
      'What tools have changed, what you have authorized, and what you have withdrawn. They stay when you delete a conversation. `next` leads to the next page.',
  })
  @ApiResponse({ status: 200, description: 'The receipts', schema: jsonSchema(receiptList) })
  @ApiProblem(
    'invalid_request',
    'unauthenticated',
    'sign_in_throttled',
    'sign_in_keys_unavailable',
    'sessions_unavailable',
    'internal_error',
  )
  async list(
    @CurrentUser() { sub }: User,
    @Query({ schema: receiptsQuery }) { limit, after }: z.infer<typeof receiptsQuery>,
  ): Promise<z.infer<typeof receiptList>> {
    const { receipts, next } = await this.#receipts.page(sub, limit, after);
    this.#audit.record('receipts_listed', { user: sub });
    return { receipts: receipts.map(viewOf), ...(next !== undefined && { next }) };
  }
}
