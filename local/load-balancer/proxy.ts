import {
  Agent,
  request as send,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';

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

/** The targets of each group. Requests go to the targets of a group in turn. */
export type Targets = Readonly<Record<string, readonly string[]>>;

/** The counters of a load balancer, with their names in CloudWatch. */
export interface Counts {
  HTTPCode_ELB_5XX_Count: number;
  HTTPCode_Target_5XX_Count: number;
  ELBAuthError: number;
}

export type WatchTarget = (
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  identity: Readonly<Record<string, string>>,
) => void;

/** Forwards bytes to the targets, and cuts a connection that was idle for `idleTimeoutMs`. */
export class TargetProxy {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1024 });
  readonly #idleTimeoutMs: number;
  readonly #watch: WatchTarget | undefined;
  /** Open answers by target. A target that is deregistered may still finish them. */
  readonly #open = new Map<string, Set<ServerResponse>>();
  #turn = 0;
  targets: Targets = { agent: [], 'session-binding': [] };
  readonly counts: Counts = { HTTPCode_ELB_5XX_Count: 0, HTTPCode_Target_5XX_Count: 0, ELBAuthError: 0 };

  constructor(idleTimeoutMs: number, watch?: WatchTarget) {
    [this.#idleTimeoutMs, this.#watch] = [idleTimeoutMs, watch];
  }

  forward(
    target: string,
    request: IncomingMessage,
    response: ServerResponse,
    identity: Readonly<Record<string, string>>,
  ): void {
    const group = this.targets[target] ?? [];
    const base = group[(this.#turn += 1) % Math.max(1, group.length)];
    if (base === undefined) {
      this.counts.HTTPCode_ELB_5XX_Count += 1;
      response.writeHead(503, { 'content-type': 'text/plain' }).end('Service Temporarily Unavailable');
      return;
    }
    this.#track(base, response);
    this.#watch?.(target, request, response, identity);
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
        if ((answer.statusCode ?? 0) >= 500) this.counts.HTTPCode_Target_5XX_Count += 1;
        response.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer.headers));
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      },
    );
    upstream.setTimeout(this.#idleTimeoutMs, () => upstream.destroy(new Error('idle')));
    upstream.on('error', (error) => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      if (!response.destroyed) this.counts.HTTPCode_ELB_5XX_Count += 1;
      response
        .writeHead(error.message === 'idle' ? 504 : 502, { 'content-type': 'text/plain' })
        .end('Bad Gateway');
    });
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  }

  /**
   * Deregisters a target: it gets no new request, and its open requests are cut at the end of the delay.
   * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
   */
  async drain(base: string, delayMs: number): Promise<void> {
    const without = (urls: readonly string[]): readonly string[] => urls.filter((url) => url !== base);
    const groups = Object.entries(this.targets).map(([name, urls]) => [name, without(urls)] as const);
    this.targets = Object.fromEntries(groups);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    for (const response of this.#open.get(base) ?? []) response.destroy();
  }

  close(): void {
    this.#agent.destroy();
  }

  #track(base: string, response: ServerResponse): void {
    const open = this.#open.get(base) ?? new Set();
    this.#open.set(base, open.add(response));
    response.on('close', () => open.delete(response));
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
