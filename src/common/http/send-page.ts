import type { FastifyReply } from 'fastify';
import type { RenderedPage } from './page.js';

/** Sends a page with its own content security policy. */
export function sendPage(reply: FastifyReply, status: number, page: RenderedPage): void {
  void reply
    .status(status)
    .header('content-security-policy', page.contentSecurityPolicy)
    .type('text/html; charset=utf-8')
    .send(page.body);
}
