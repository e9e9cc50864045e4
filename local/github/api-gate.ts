import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody, sendJson } from '../lib/http.ts';
import type { Grants, IssuedToken } from '../provider-gate/grants.ts';

export interface ApiGateOptions {
  readonly upstreamUrl: string;
  readonly publicUrl: () => string;
  readonly grants: Grants;
  readonly upstreamToken: (login: string) => string;
  readonly now: () => number;
}

interface RepositoryJson {
  readonly private?: boolean;
}

const LIMIT_PER_HOUR = 5_000;
/** Headers of the state behind the gate that must not be mistaken for GitHub's. */
const DROPPED =
  /^(x-ratelimit-|access-control-|connection$|keep-alive$|transfer-encoding$|content-length$|content-encoding$)/;

/** GitHub's REST API: who may call it, what their scopes let them see, and how often. */
export class ApiGate {
  readonly #options: ApiGateOptions;
  readonly #limitedUntil = new Map<string, number>();
  #used = 0;
  /** Authorization headers of the requests that reached the API, for tests. */
  readonly seenTokens: string[] = [];

  constructor(options: ApiGateOptions) {
    this.#options = options;
  }

  /** The user's calls are refused with a rate limit for so many seconds. */
  limit(login: string, seconds: number): void {
    this.#limitedUntil.set(login, this.#options.now() + seconds * 1000);
  }

  reset(): void {
    this.#limitedUntil.clear();
    this.#used = 0;
    this.seenTokens.length = 0;
  }

  async handle(request: IncomingMessage, response: ServerResponse, prefix: string): Promise<void> {
    const accessToken = /^(?:bearer|token) (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const grant = accessToken === undefined ? undefined : this.#options.grants.inspect(accessToken);
    if (accessToken === undefined || grant === undefined) {
      const message = accessToken === undefined ? 'Requires authentication' : 'Bad credentials';
      sendJson(response, 401, { message, documentation_url: 'https://docs.github.com/rest' });
      return;
    }
    this.seenTokens.push(accessToken);
    if (this.#refuseForRate(grant, response)) return;
    const path = (request.url ?? '').slice(prefix.length);
    if (
      !grant.scopes.includes('repo') &&
      (request.method !== 'GET' || (await this.#isPrivate(path, grant)))
    ) {
      notFound(response, grant);
      return;
    }
    await this.#forward(request, response, path, grant);
  }

  #refuseForRate(grant: IssuedToken, response: ServerResponse): boolean {
    const until = this.#limitedUntil.get(grant.login) ?? 0;
    const seconds = Math.ceil((until - this.#options.now()) / 1000);
    if (seconds <= 0) return false;
    const headers = {
      'retry-after': String(seconds),
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(Math.ceil(until / 1000)),
    };
    sendJson(response, 403, { message: 'API rate limit exceeded for user.' }, headers);
    return true;
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    grant: IssuedToken,
  ): Promise<void> {
    const body = request.method === 'GET' ? undefined : await readBody(request, 1024 * 1024);
    const upstream = await fetch(this.#options.upstreamUrl + path, {
      method: request.method ?? 'GET',
      headers: {
        authorization: `Bearer ${this.#options.upstreamToken(grant.login)}`,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: new Uint8Array(body) }),
    });
    const text = await upstream.text();
    // GitHub hides what a token may not see: 404, not 403.
    if (upstream.status === 403) {
      notFound(response, grant);
      return;
    }
    const visible =
      grant.scopes.includes('repo') || !path.startsWith('/user/repos') ? text : withoutPrivate(text);
    response.writeHead(upstream.status, {
      ...this.#headers(upstream.headers),
      ...scopeHeaders(grant),
      ...this.#rateHeaders(),
    });
    response.end(this.#publicUrls(visible));
  }

  async #isPrivate(path: string, grant: IssuedToken): Promise<boolean> {
    const repository = /^\/repos\/[^/?]+\/[^/?]+/.exec(path)?.[0];
    if (repository === undefined) return false;
    const upstream = await fetch(this.#options.upstreamUrl + repository, {
      headers: { authorization: `Bearer ${this.#options.upstreamToken(grant.login)}` },
    });
    return isPrivate((await upstream.json()) as RepositoryJson);
  }

  #headers(upstream: Headers): Record<string, string> {
    const kept = [...upstream].filter(([name]) => !DROPPED.test(name));
    return Object.fromEntries(kept.map(([name, value]) => [name, this.#publicUrls(value)]));
  }

  #rateHeaders(): Record<string, string> {
    this.#used += 1;
    return {
      'x-ratelimit-limit': String(LIMIT_PER_HOUR),
      'x-ratelimit-remaining': String(Math.max(0, LIMIT_PER_HOUR - this.#used)),
      'x-ratelimit-resource': 'core',
    };
  }

  #publicUrls(text: string): string {
    return text.replaceAll(this.#options.upstreamUrl, this.#options.publicUrl());
  }
}

function isPrivate(repository: RepositoryJson): boolean {
  return repository.private === true;
}

function withoutPrivate(text: string): string {
  const value: unknown = JSON.parse(text);
  return Array.isArray(value)
    ? JSON.stringify(value.filter((each: RepositoryJson) => !isPrivate(each)))
    : text;
}

function notFound(response: ServerResponse, grant: IssuedToken): void {
  sendJson(
    response,
    404,
    { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' },
    scopeHeaders(grant),
  );
}

function scopeHeaders(grant: IssuedToken): Record<string, string> {
  return { 'x-oauth-scopes': grant.scopes.join(', '), 'x-github-request-id': 'local' };
}
