import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../common/errors/index.js';
import { sendErrorPage, sendPage, wantsPage } from '../common/http/index.js';
import type { User } from '../identity/sign-in/index.js';
import { FlowResults, isRefusal, type FlowResult } from './flow-results.js';
import { resultPage } from './pages.js';

/**
 * Answers a browser in two steps, so that no secret stays in its address bar or history: a redirect to the same path
 * without the query, and the page there. What may be tried again by loading the address again is answered where it is.
 */
@Injectable()
export class FlowAnswers {
  readonly #results: FlowResults;

  constructor(results: FlowResults) {
    this.#results = results;
  }

  /** @param work answers itself, or what its result is, or throws why there is none */
  async answer(
    user: User,
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<FlowResult | undefined>,
  ): Promise<void> {
    const result = await work().catch((error: unknown) => refusalOf(request, error));
    if (result === undefined) return;
    // Never what the request line says: it may name another host.
    const path = request.routeOptions.url ?? '/';
    // At the address without a query there is nothing to leave behind, and a browser without cookies must not go round.
    const isThere = request.method === 'GET' && !request.url.includes('?');
    if (isThere || !wantsPage(request)) {
      send(reply, result, user);
      return;
    }
    void reply.header('set-cookie', await this.#results.write(user, result)).redirect(path, 303);
  }

  /** Sends the page of a result that this browser has kept. False: there is none. */
  async sendKept(user: User, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const result = await this.#results.read(user, request.headers.cookie);
    if (result === undefined) return false;
    send(reply, result, user);
    return true;
  }
}

function send(reply: FastifyReply, result: FlowResult, user: User): void {
  if (result.kind === 'refused') sendErrorPage(reply, new AppError(result.code), result.requestId, user);
  else sendPage(reply, 200, resultPage(result, user));
}

function refusalOf(request: FastifyRequest, error: unknown): FlowResult {
  if (!wantsPage(request) || !(error instanceof AppError)) throw error;
  // The user's own choice is no error.
  if (error.code === 'flow_denied') return { kind: 'denied', provider: '' };
  if (isRefusal(error.code)) return { kind: 'refused', code: error.code, requestId: request.id };
  throw error;
}
