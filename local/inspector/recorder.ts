import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { ACCESS_KEYS } from '../lib/names.ts';
import type { Watch } from '../lib/part.ts';
import type { Hop, Party } from './page/hop.ts';
import { redactedBody, redactedHeaders, redactedPath } from './redact.ts';
import { nameOf } from './steps.ts';

type NewHop = Omit<Hop, 'version'>;

const KEPT = 2_000;
const LONGEST = 64 * 1024;

/** The requests between the parts of the stack, with the secrets in them hidden before they are kept. */
export class Recorder {
  readonly #hops: Hop[] = [];
  #next = 0;
  #version = 0;

  /** The hops that are new or have changed since a version, the oldest first. */
  hops(since = 0): readonly Hop[] {
    return this.#hops.filter(({ version }) => version > since);
  }

  clear(): void {
    this.#hops.length = 0;
  }

  /** Watches what a part is asked. */
  watch(to: Party): Watch {
    return (request, response) => {
      this.follow({ from: callerOf(to, request), to }, request, response);
    };
  }

  /** Follows a request to its answer. @param more headers beside those of the request */
  follow(
    { from, to }: { readonly from: Party; readonly to: Party },
    request: IncomingMessage,
    response: ServerResponse,
    more: Readonly<Record<string, string>> = {},
  ): void {
    const id = (this.#next += 1);
    const at = Date.now();
    const [method = '', path = ''] = [request.method, request.url];
    const headers = { ...request.headers, ...more };
    const [asked, answered] = [collected(), collected()];
    const push = request.push.bind(request);
    request.push = (chunk: Buffer | null, ...rest) => {
      if (chunk !== null) asked.add(chunk);
      return push(chunk, ...rest);
    };
    const written = watchAnswer(response, answered.add);
    const user = userOf(more['x-amzn-oidc-data']);
    const hop = (): NewHop => ({
      id,
      at,
      from,
      to,
      ...nameOf(to, `${method} ${path}`),
      ...(user !== undefined && { user }),
      line: `${method} ${redactedPath(path)}`,
      request: {
        headers: redactedHeaders(headers),
        body: redactedBody(headers['content-type'] ?? '', asked.all()),
      },
    });
    this.#put(hop());
    response.once('close', () => {
      const sent = { ...response.getHeaders(), ...written.headers };
      const type = String(
        Object.entries(sent).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '',
      );
      this.#put({
        ...hop(),
        // An answer over HTTP/2 does not tell whether it was sent to its end.
        status:
          ((response.writableFinished as boolean | undefined) ?? response.writableEnded)
            ? response.statusCode
            : 0,
        ms: Date.now() - at,
        response: { headers: redactedHeaders(sent), body: redactedBody(type, answered.all()) },
      });
    });
  }

  /** Sends a request that passes by every part, such as an attacker's, and records it. */
  async fetch(to: 'agent' | 'session-binding', url: string, init: RequestInit): Promise<Response> {
    const at = Date.now();
    const answer = await fetch(url, init);
    const { pathname, search } = new URL(url);
    this.#put({
      id: (this.#next += 1),
      at,
      from: 'browser',
      to,
      title: 'Past the load balancer',
      line: `${init.method ?? 'GET'} ${redactedPath(pathname + search)}`,
      request: { headers: redactedHeaders(Object.fromEntries(new Headers(init.headers))), body: '' },
      status: answer.status,
      ms: Date.now() - at,
      response: {
        headers: redactedHeaders(Object.fromEntries(answer.headers)),
        body: redactedBody(
          answer.headers.get('content-type') ?? '',
          Buffer.from(await answer.clone().arrayBuffer()),
        ),
      },
    });
    return answer;
  }

  #put(given: NewHop): void {
    const hop: Hop = { ...given, version: (this.#version += 1) };
    const known = this.#hops.findIndex(({ id }) => id === hop.id);
    if (known >= 0) this.#hops[known] = hop;
    else this.#hops.push(hop);
    if (this.#hops.length > KEPT) this.#hops.shift();
  }
}

/** Who sends a request to a part: the signer, or the only one who sends such a request. */
function callerOf(to: Party, { headers, url = '', method }: IncomingMessage): Party {
  const { authorization = '' } = headers;
  if (authorization.includes(ACCESS_KEYS['session-binding'])) return 'session-binding';
  if (authorization.startsWith('AWS4')) return 'agent';
  if (to === 'provider') {
    if (/\/(access_token|token)$/.test(url)) return 'agentcore-identity';
    if (!url.startsWith('/api/')) return 'browser';
    const isBinding = method === 'DELETE' || headers['user-agent']?.includes('session-binding') === true;
    return isBinding ? 'session-binding' : 'agent';
  }
  if (to === 'identity-provider')
    return /^\/(token|me|jwks|\.well-known)/.test(url) ? 'load-balancer' : 'browser';
  return 'browser';
}

function collected(): { readonly add: (chunk: unknown) => void; readonly all: () => Buffer } {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    add: (chunk) => {
      if (size > LONGEST || (typeof chunk !== 'string' && !(chunk instanceof Uint8Array))) return;
      const bytes = Buffer.from(chunk as Uint8Array);
      size += bytes.length;
      chunks.push(bytes);
    },
    all: () => Buffer.concat(chunks),
  };
}

/** Keeps what is written, and the headers that `writeHead` alone knows. */
function watchAnswer(
  response: ServerResponse,
  add: (chunk: unknown) => void,
): { readonly headers: OutgoingHttpHeaders } {
  const kept: { headers: OutgoingHttpHeaders } = { headers: {} };
  const original = {
    write: response.write.bind(response) as (...given: unknown[]) => boolean,
    end: response.end.bind(response) as (...given: unknown[]) => ServerResponse,
    writeHead: response.writeHead.bind(response) as (...given: unknown[]) => ServerResponse,
  };
  Object.assign(response, {
    write: (...given: unknown[]) => {
      add(given[0]);
      return original.write(...given);
    },
    end: (...given: unknown[]) => {
      add(given[0]);
      return original.end(...given);
    },
    writeHead: (...given: unknown[]) => {
      const headers = given.find((each) => typeof each === 'object' && each !== null && !Array.isArray(each));
      kept.headers = { ...kept.headers, ...(headers as OutgoingHttpHeaders | undefined) };
      return original.writeHead(...given);
    },
  });
  return kept;
}

/** The name in the load balancer's token. Its signature is the roles' business. */
function userOf(token: string | undefined): string | undefined {
  try {
    const [, payload = ''] = (token ?? '').split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as { readonly email?: string };
    return claims.email;
  } catch {
    return undefined;
  }
}
