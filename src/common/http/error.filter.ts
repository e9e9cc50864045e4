import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, errorFields, type ErrorCode } from '../errors/index.js';
import { html, renderPage, type Html, type PageUser } from './page.js';
import { sendPage } from './send-page.js';
import { asAppError, problemOf } from './problem.js';
import { SECURITY_HEADERS } from './request-hooks.js';
import { logWhenEnded } from './request-line.js';
import { workOfRequest } from './request-work.js';

/** Turns every error into an answer: a page for a browser's navigation, a problem document otherwise. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #logger = new Logger(ErrorFilter.name);

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
    if (error.retryAfter !== undefined) void reply.header('retry-after', String(error.retryAfter));
    if (wantsPage(request)) sendErrorPage(reply, error, request.id, userOf(request));
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

/** Answers requests that Fastify refuses before it has found a route: a malformed or an overlong address. */
export function answerFrameworkError(_error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  logWhenEnded(request, reply, workOfRequest(request, reply));
  const problem = problemOf(new AppError('invalid_request'), request.id);
  void reply.status(400).headers(SECURITY_HEADERS).type('application/problem+json').send(problem);
}

/** Answers requests that Node refuses before it has parsed them: headers that are too large, too late or malformed. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const codes: Readonly<Record<string, ErrorCode>> = {
    HPE_HEADER_OVERFLOW: 'headers_too_large',
    ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  };
  const problem = problemOf(new AppError(codes[error.code ?? ''] ?? 'invalid_request'), randomUUID());
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${String(problem.status)} ${problem.title}`,
    'content-type: application/problem+json',
    `content-length: ${String(Buffer.byteLength(body))}`,
    ...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Browsers ask for `text/html` when they navigate; API clients do not. */
export function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}

/** A page for an error of the table. */
export function sendErrorPage(
  reply: FastifyReply,
  error: AppError,
  requestId: string,
  user: PageUser | undefined,
): void {
  const { title, status } = error.row;
  const body = html`<h1>${title}</h1>
<p>${error.detail}</p>
${wayOn(error.code)}
<p class="soft">Request <code>${requestId}</code></p>`;
  sendPage(reply, status, renderPage({ title, tone: 'bad', body, user }));
}

function wayOn(code: ErrorCode): Html {
  switch (code) {
    case 'unauthenticated':
      return html`<p><a href="/">Sign in</a></p>`;
    case 'flow_wrong_account':
      return html`<p><a href="/sign-out">Sign out to switch accounts</a> · <a href="/">Return to the assistant</a></p>`;
    default:
      return html`<p><a href="/">Return to the assistant</a></p>`;
  }
}

/** The user of a request that the guard has let through. This module needs no other field. */
function userOf(request: FastifyRequest): PageUser | undefined {
  return (request as FastifyRequest & { readonly user?: PageUser }).user;
}
