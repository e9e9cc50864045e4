import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ApiProblem, jsonSchema } from '../common/openapi/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { endOf } from './day.js';
import { Usage } from './usage.js';
import { usageOfToday } from './usage.schemas.js';

/** What a user has taken today, and what the limits are. */
@ApiTags('Usage')
@Controller('usage')
export class UsageController {
  readonly #usage: Usage;

  constructor(usage: Usage) {
    this.#usage = usage;
  }

  @Get()
  @ApiOperation({
    operationId: 'readUsage',
    summary: 'What you have taken today, and your limits',
    description:
      'Tokens count when their run has ended. What you do at another server counts here about two seconds later, so a limit can be exceeded by what you send meanwhile.',
  })
  @ApiResponse({ status: 200, description: 'Your usage', schema: jsonSchema(usageOfToday) })
  @ApiProblem(
    'unauthenticated',
    'sign_in_throttled',
    'sign_in_keys_unavailable',
    'sessions_unavailable',
    'internal_error',
  )
  async read(@CurrentUser() { sub }: User): Promise<z.infer<typeof usageOfToday>> {
    const { day, used } = await this.#usage.read(sub);
    const { runsPerUser, requestsPerDay, tokensPerDay } = this.#usage.limits;
    return {
      day,
      endsAt: new Date(endOf(day)).toISOString(),
      used,
      limits: {
        running: runsPerUser,
        ...(requestsPerDay !== undefined && { requests: requestsPerDay }),
        ...(tokensPerDay !== undefined && { tokens: tokensPerDay }),
      },
    };
  }
}
