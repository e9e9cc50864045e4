import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, errorFields } from '../errors/index.js';
import { html, renderPage } from './page.js';
import { asAppError, problemOf } from './problem.js';
import { SECURITY_HEADERS } from './request-hooks.js';

/** The one place where an error becomes an answer: a page for a browser's navigation, a problem document otherwise. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #logger = new Logger('Http');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = asAppError(thrown);
    this.#log(error);
    if (reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    if (error.code === 'unauthenticated') void reply.header('www-authenticate', 'OpenIdConnect');
    if (wantsPage(request)) sendErrorPage(reply, error, request.id);
    else
      void reply.status(error.row.status).type('application/problem+json').send(problemOf(error, request.id));
  }

  #log(error: AppError): void {
    const fields = {
      event: 'request_failed',
      code: error.code,
      ...(error.reason !== undefined && { reason: error.reason }),
      ...(error.cause !== undefined && errorFields(error.cause)),
    };
    if (error.row.status >= 500) this.#logger.error(fields);
    else this.#logger.log(fields);
  }
}

/** What Fastify refuses before it has found a route: a malformed or an overlong address. */
export function answerFrameworkError(_error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(new AppError('invalid_request'), request.id);
  void reply.status(400).headers(SECURITY_HEADERS).type('application/problem+json').send(problem);
}

/** Browsers ask for `text/html` when they navigate; API clients do not. */
function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}

/** A page for an error of the table. */
export function sendErrorPage(reply: FastifyReply, error: AppError, requestId: string): void {
  const body = html`<h1>${error.row.title}</h1>
<p>${error.detail}</p>
<p class="soft">Request <code>${requestId}</code></p>`;
  const page = renderPage({ title: error.row.title, tone: 'bad', body });
  void reply
    .status(error.row.status)
    .header('content-security-policy', page.contentSecurityPolicy)
    .type('text/html; charset=utf-8')
    .send(page.body);
}
