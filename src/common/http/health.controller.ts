import { Controller, Get, HttpCode, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from './public.decorator.js';
import { Readiness } from './readiness.js';

interface PingAnswer {
  readonly status: 'Healthy';
  /** Unix seconds; AgentCore Runtime's contract asks for it. */
  readonly time_of_last_update: number;
}

/**
 * The health checks of the load balancer. Neither route uses a dependency, so a broken dependency does not take every task
 * down.
 */
@ApiExcludeController()
@Controller()
export class HealthController {
  readonly #startedAt = Math.floor(Date.now() / 1000);
  readonly #readiness: Readiness;

  constructor(readiness: Readiness) {
    this.#readiness = readiness;
  }

  @Public()
  @Get('ping')
  @HttpCode(200)
  ping(): PingAnswer {
    return { status: 'Healthy', time_of_last_update: this.#startedAt };
  }

  @Public()
  @Get('ready')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { readonly ready: boolean } {
    void reply.status(this.#readiness.ready ? 200 : 503);
    return { ready: this.#readiness.ready };
  }
}
