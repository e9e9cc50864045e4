import {
  Agent,
  request as send,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Rule } from './rules.ts';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Forwards to the targets, byte by byte, and cuts a connection on which nothing has moved for `idleTimeoutMs`. */
export class TargetProxy {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1024 });
  readonly #idleTimeoutMs: number;
  targets: Readonly<Record<Rule['target'], string>> = { agent: '', 'session-binding': '' };

  constructor(idleTimeoutMs: number) {
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  forward(
    target: Rule['target'],
    request: IncomingMessage,
    response: ServerResponse,
    identity: Readonly<Record<string, string>>,
  ): void {
    const base = this.targets[target];
    if (base === '') {
      response.writeHead(503, { 'content-type': 'text/plain' }).end('Service Temporarily Unavailable');
      return;
    }
    const { hostname, port } = new URL(base);
    const upstream = send(
      {
        hostname,
        port,
        agent: this.#agent,
        method: request.method,
        path: request.url,
        headers: { ...withoutHopByHop(request.headers), ...forwardedHeaders(request), ...identity },
        setHost: false,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer.headers));
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      },
    );
    upstream.setTimeout(this.#idleTimeoutMs, () => upstream.destroy(new Error('idle')));
    upstream.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else
        response
          .writeHead(error.message === 'idle' ? 504 : 502, { 'content-type': 'text/plain' })
          .end('Bad Gateway');
    });
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  }

  close(): void {
    this.#agent.destroy();
  }
}

function withoutHopByHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

function forwardedHeaders(request: IncomingMessage): Record<string, string> {
  const before = request.headers['x-forwarded-for'];
  const client = request.socket.remoteAddress ?? '';
  return {
    'x-forwarded-for': before === undefined ? client : `${String(before)}, ${client}`,
    'x-forwarded-proto': 'http',
    'x-forwarded-port': String(request.socket.localPort),
  };
}
