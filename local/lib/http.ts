import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { FaultSwitch } from './faults.ts';
import type { Listen } from './part.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

export interface Serving {
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';

/** Serves a handler. If the handler throws, the answer is 500 with the message of the error. */
export async function serve(handler: Handler, faults: FaultSwitch, listen: Listen = {}): Promise<Serving> {
  const guarded: Handler = async (request, response) => {
    try {
      listen.watch?.(request, response);
      if (await faults.apply(request, response)) return;
      await handler(request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { message: error instanceof Error ? error.message : String(error) });
    }
  };
  const server = createServer({ maxHeaderSize: 96 * 1024, keepAliveTimeout: 75_000 }, (request, response) => {
    void guarded(request, response);
  });
  return {
    url: await listening(server, listen),
    server,
    close: () => closeServer(server),
  };
}

/** Resolves with the URL of the server when it listens. */
export function listening(server: NetServer, listen: Listen): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port ?? 0, listen.address ?? LOOPBACK, () => {
      server.off('error', reject);
      resolve(`http://${listen.host ?? LOOPBACK}:${String((server.address() as AddressInfo).port)}`);
    });
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

/** A body that is longer than it may be. What is left of it is read and thrown away, so that the answer arrives. */
export class BodyTooLarge extends Error {}

/** Reads a whole body of at most `limit` bytes. @throws BodyTooLarge */
export async function readBody(request: IncomingMessage, limit = 20 * 1024 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  if (size > limit) throw new BodyTooLarge('The request body is too large');
  return Buffer.concat(chunks);
}

export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams((await readBody(request, 64 * 1024)).toString('utf8'));
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function sendHtml(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(html);
}

export function redirect(response: ServerResponse, location: string, cookies: readonly string[] = []): void {
  response.writeHead(302, {
    location,
    'cache-control': 'no-store',
    ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
  });
  response.end();
}

/** The URL of the request. Only its path and query are meaningful. */
export function urlOf(request: IncomingMessage): URL {
  const target = request.url ?? '/';
  // The URL is not resolved against a base, because `//docs` would be taken for a host.
  return new URL(`http://local${target.startsWith('/') ? target : '/'}`);
}

export function cookiesOf(request: IncomingMessage): ReadonlyMap<string, string> {
  const pairs = (request.headers.cookie ?? '').split(/;\s*/).filter((pair) => pair.includes('='));
  return new Map(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const),
  );
}
