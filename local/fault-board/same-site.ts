import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

/**
 * Refuses requests that a page of another site could cause in the browser of a developer. The name in Host must be one of
 * this machine, because another name may resolve to it (DNS rebinding). A link to the page itself may come from anywhere.
 * https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 * @param name the name that this machine was given, if any
 * @throws Refusal
 */
export function requireSameSite(request: IncomingMessage, pathname: string, name?: string): void {
  const { host = '', origin, 'sec-fetch-site': site } = request.headers;
  const port = String(request.socket.localPort);
  const names = ['127.0.0.1', 'localhost', ...(name === undefined ? [] : [name])];
  if (!names.some((each) => host === `${each}:${port}`))
    throw new Refusal(403, `The fault board answers only under ${names.join(' and ')}.`);
  const opensThePage = request.method === 'GET' && (pathname === '/' || pathname === '/inspector');
  if (opensThePage) return;
  const isOwn = site === undefined || site === 'same-origin' || site === 'none';
  if (!isOwn || (origin !== undefined && origin !== `http://${host}`))
    throw new Refusal(403, 'The fault board takes no requests from pages of other sites.');
}
