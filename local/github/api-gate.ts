import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody, sendJson } from '../lib/http.ts';
import { ACCOUNTS } from '../provider-gate/accounts.ts';
import { GatedApi, type Gate, type Subject } from '../provider-gate/gated-api.ts';
import type { IssuedToken } from '../provider-gate/grants.ts';
import { upstreamToken } from './seed.ts';

/** The part of `emulate` that is needed here. */
interface Emulator {
  readonly url: string;
  reset(): void;
  close(): Promise<void>;
}

interface RepositoryJson {
  readonly private?: boolean;
}

const LIMIT_PER_HOUR = 5_000;
/** The account that reads for a browser that is not signed in; what is private is not shown then. */
const [{ login: ANYBODY } = { login: '' }] = ACCOUNTS;
/** Headers of `emulate` that clients must not mistake for GitHub's. */
const DROPPED =
  /^(x-ratelimit-|access-control-|connection$|keep-alive$|transfer-encoding$|content-length$|content-encoding$)/;

/** GitHub's REST API, limited to what the scopes of a token allow. */
export class ApiGate extends GatedApi {
  readonly #upstream: Emulator;
  #used = 0;

  constructor(gate: Gate, upstream: Emulator) {
    super(gate);
    this.#upstream = upstream;
  }

  close(): Promise<void> {
    return this.#upstream.close();
  }

  /** https://docs.github.com/rest/apps/oauth-applications#delete-an-app-authorization; all else needs a user's token. */
  override async handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const clientId =
      request.method === 'DELETE' ? /^\/applications\/([^/?]+)\/grant$/.exec(path)?.[1] : undefined;
    if (clientId === undefined) await super.handle(request, response, path);
    else await this.#endGrant(request, response, decodeURIComponent(clientId));
  }

  /** A user, a repository or an issue, at the address that the API gives as `html_url`. */
  override async subjectOf(path: string, login: string | undefined): Promise<Subject | undefined> {
    const [, owner, repository, issue] = /^\/([\w.-]+)(?:\/([\w.-]+)(?:\/issues\/(\d+))?)?$/.exec(path) ?? [];
    if (owner === undefined) return undefined;
    const reader = login ?? ANYBODY;
    if (repository === undefined) return this.#read(reader, `/users/${owner}`, userPage);
    const seen = await this.#read(reader, `/repos/${owner}/${repository}`, (found) =>
      found.private === true && owner !== login ? undefined : repositoryPage(found),
    );
    if (seen === undefined || issue === undefined) return seen;
    return this.#read(reader, `/repos/${owner}/${repository}/issues/${issue}`, issuePage);
  }

  async #read(
    login: string,
    path: string,
    show: (found: Record<string, unknown>) => Subject | undefined,
  ): Promise<Subject | undefined> {
    const answer = await fetch(this.#upstream.url + path, {
      headers: { authorization: `Bearer ${upstreamToken(login)}` },
    });
    return answer.ok ? show((await answer.json()) as Record<string, unknown>) : undefined;
  }

  protected forget(): void {
    this.#used = 0;
    this.#upstream.reset();
  }

  protected async serve(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    grant: IssuedToken,
  ): Promise<void> {
    const isHidden =
      !grant.scopes.includes('repo') && (request.method !== 'GET' || (await this.#isPrivate(path, grant)));
    if (isHidden) notFound(response, grant);
    else await this.#forward(request, response, path, grant);
  }

  async #endGrant(request: IncomingMessage, response: ServerResponse, clientId: string): Promise<void> {
    const { grants } = this.gate;
    const client = grants.authenticated(request.headers.authorization);
    if (client?.clientId !== clientId) {
      sendJson(response, 401, { message: 'Requires authentication' });
      return;
    }
    const { access_token: token } = parseObject(await readBody(request, 16 * 1024));
    if (typeof token !== 'string') sendJson(response, 422, { message: 'Validation Failed' });
    else if (!grants.endGrant(clientId, token)) sendJson(response, 404, { message: 'Not Found' });
    else response.writeHead(204).end();
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    grant: IssuedToken,
  ): Promise<void> {
    const body = request.method === 'GET' ? undefined : await readBody(request, 1024 * 1024);
    const upstream = await fetch(this.#upstream.url + path, {
      method: request.method ?? 'GET',
      headers: {
        authorization: `Bearer ${upstreamToken(grant.login)}`,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: new Uint8Array(body) }),
    });
    const text = await upstream.text();
    // GitHub answers 404, not 403, for objects that a token may not see.
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
    const upstream = await fetch(this.#upstream.url + repository, {
      headers: { authorization: `Bearer ${upstreamToken(grant.login)}` },
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
    return text.replaceAll(this.#upstream.url, this.gate.publicUrl());
  }
}

function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(Buffer.from(body).toString('utf8'))) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

function userPage({ login, name, bio }: Record<string, unknown>): Subject {
  return { kind: "a user's page", title: textOf(name) || textOf(login), text: textOf(bio) };
}

function repositoryPage({ full_name: name, description }: Record<string, unknown>): Subject {
  return { kind: 'a repository', title: textOf(name), text: textOf(description) };
}

function issuePage({ title, number, body }: Record<string, unknown>): Subject {
  return { kind: 'an issue', title: `${textOf(title)} #${textOf(number)}`, text: textOf(body) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
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
