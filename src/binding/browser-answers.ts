import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../common/errors/index.js';
import { sendErrorPage, sendPage, wantsPage } from '../common/http/index.js';
import type { User } from '../identity/sign-in/index.js';
import { FlowResults, isRefusal, type FlowResult } from './flow-results.js';
import { resultPage } from './pages.js';

/**
 * Answers a browser in two steps, so that no secret stays in its address bar or history: it redirects to the same path
 * without the query, and shows the page there. A failure that may pass when the user reloads the address is answered
 * directly.
 */
@Injectable()
export class BrowserAnswers {
  readonly #results: FlowResults;

  constructor(results: FlowResults) {
    this.#results = results;
  }

  /** @param work sends the answer itself, or returns the result to show, or throws an AppError */
  async answer(
    user: User,
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<FlowResult | undefined>,
  ): Promise<void> {
    const result = await work().catch((error: unknown) => refusalOf(request, error));
    if (result === undefined) return;
    // The path comes from the route, never from the request line, which may name another host.
    const path = request.routeOptions.url ?? '/';
    // An address without a query has no secret to remove, and a browser without cookies must not be redirected for ever.
    const isThere = request.method === 'GET' && !request.url.includes('?');
    if (isThere || !wantsPage(request)) {
      send(reply, result, user);
      return;
    }
    void reply.header('set-cookie', await this.#results.write(user, result)).redirect(path, 303);
  }

  /** Sends the page of the result that this browser has kept. Returns false when there is none. */
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
  // A consent that the user declined is not an error.
  if (error.code === 'flow_denied') return { kind: 'denied', provider: '' };
  if (isRefusal(error.code)) return { kind: 'refused', code: error.code, requestId: request.id };
  throw error;
}
