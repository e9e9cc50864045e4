import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { Circuit, CircuitOpenError } from '../common/circuit/index.js';
import { withDeadline } from '../common/deadline/index.js';
import { ERRORS } from '../common/errors/index.js';
import type { ProviderConfig } from '../config/index.js';
import type { ProviderCallContext } from './agent-tool.decorator.js';
import { TokenRefusedError, ToolError } from './tool.errors.js';

/** A request to a provider. */
export interface ApiRequest<T> {
  /** Path segments; each is encoded, so that none can leave its place. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number>>;
  /** The form of the answer; members beside it are dropped. */
  readonly answer: z.ZodType<T>;
}

/** A provider's answer, in the form that was asked for. */
export interface ApiAnswer<T> {
  readonly data: T;
  /** The token's own scopes; undefined where the provider does not say. */
  readonly scopes: readonly string[] | undefined;
}

/** How a provider's API is spoken to. */
export interface ApiConventions {
  /** The provider's name for people. */
  readonly label: string;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The scopes of a token, from the headers of an answer that has them. */
  readonly grantedScopes?: (headers: Headers) => readonly string[] | undefined;
  /** Whether granted scopes include one that is needed; by default only the very same. */
  readonly covers?: (granted: readonly string[], needed: string) => boolean;
}

interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
}

interface Answered {
  readonly response: Response;
  readonly text: string;
}

/** The provider answered that it has a problem of its own. */
class ProviderFault extends Error {
  readonly status: number;

  constructor(status: number) {
    super();
    this.status = status;
  }
}

/** A read is tried again after a failure of the network or of the provider; a write is not. */
const ATTEMPTS = 3;
const PAUSE_MS = 100;
const MAXIMUM_BYTES = 4 * 1024 * 1024;
const DEFAULT_WAIT_S = 60;

/**
 * A provider's REST API, called safely: every request stays on the configured origin and path, redirects are not
 * followed, a deadline and 4 MiB end it, and each failure is a typed error without upstream text. A read is tried up to
 * three times before the deadline, a write once. While the provider is down, a request is answered at once.
 */
@Injectable()
export class ProviderApi {
  readonly #provider: ApiConventions;
  readonly #circuit: Circuit;
  readonly #config: Pick<ProviderConfig, 'apiBase' | 'deadlineMs'>;

  constructor(provider: ApiConventions, config: Pick<ProviderConfig, 'apiBase' | 'deadlineMs'>) {
    this.#provider = provider;
    this.#circuit = new Circuit(provider.label);
    this.#config = config;
  }

  /** @throws ToolError | TokenRefusedError */
  async get<T>(request: ApiRequest<T>, context: ProviderCallContext): Promise<T> {
    return (await this.getWithScopes(request, context)).data;
  }

  /** Like `get`, with the scopes of the token. @throws ToolError | TokenRefusedError */
  getWithScopes<T>(request: ApiRequest<T>, context: ProviderCallContext): Promise<ApiAnswer<T>> {
    return this.#call(request, { method: 'GET' }, context);
  }

  /**
   * Changes something. It is tried once: without a clear answer, it may have been done.
   * @throws ToolError (`tool_outcome_unknown` among them) | TokenRefusedError
   */
  async write<T>(request: ApiRequest<T> & Sent, context: ProviderCallContext): Promise<T> {
    return (await this.#call(request, request, context)).data;
  }

  async #call<T>(request: ApiRequest<T>, sent: Sent, context: ProviderCallContext): Promise<ApiAnswer<T>> {
    const { response, text } = await this.#send(this.#urlOf(request), sent, context);
    const scopes = this.#provider.grantedScopes?.(response.headers);
    // A write that was answered so is done, whatever the token says of its scopes.
    const isDone = sent.method !== 'GET' && response.ok;
    if (!isDone) this.#requireScopes(response, scopes, context.scopes);
    this.#refuseBadStatus(response);
    const parsed = request.answer.safeParse(parseJson(text));
    if (parsed.success) return { data: parsed.data, scopes };
    throw this.#unclear(
      sent,
      'tool_output_invalid',
      'answered in a form that is not understood.',
      parsed.error,
    );
  }

  #urlOf({ path, query = {} }: ApiRequest<unknown>): URL {
    const url = new URL(`${this.#config.apiBase}/${path.map(encodeSegment).join('/')}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return url;
  }

  async #send(url: URL, sent: Sent, { accessToken, signal }: ProviderCallContext): Promise<Answered> {
    try {
      return await this.#circuit.call(signal, () =>
        withDeadline(this.#config.deadlineMs, signal, (ends) => this.#try(url, sent, accessToken, ends)),
      );
    } catch (error) {
      if (error instanceof ToolError && sent.method === 'GET') throw error;
      // The request was not sent, so a write was not done.
      if (error instanceof CircuitOpenError)
        throw this.#error(
          'provider_unavailable',
          'does not answer at present. Try again in a moment.',
          error,
        );
      const predicate = error instanceof ProviderFault ? 'has a problem' : 'did not answer';
      throw this.#unclear(sent, 'provider_unavailable', `${predicate}. Try again in a moment.`, error);
    }
  }

  async #try(url: URL, sent: Sent, accessToken: string, ends: AbortSignal): Promise<Answered> {
    const attempts = sent.method === 'GET' ? ATTEMPTS : 1;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.#attempt(url, sent, accessToken, ends);
        const { status } = answer.response;
        if (status < 500) return answer;
        throw new ProviderFault(status);
      } catch (error) {
        if (error instanceof ToolError || ends.aborted || attempt === attempts) throw error;
      }
      await delay(PAUSE_MS * attempt * (1 + Math.random()), undefined, { signal: ends });
    }
  }

  async #attempt(
    url: URL,
    { method, body }: Sent,
    accessToken: string,
    signal: AbortSignal,
  ): Promise<Answered> {
    const response = await fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        'user-agent': 'OnBehalf',
        ...this.#provider.headers,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        authorization: `Bearer ${accessToken}`,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'error',
      signal,
    });
    return { response, text: await this.#textOf(response) };
  }

  async #textOf(response: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > MAXIMUM_BYTES)
        throw this.#error('tool_output_invalid', 'answered with more than can be read.');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  #requireScopes(
    response: Response,
    granted: readonly string[] | undefined,
    needed: readonly string[],
  ): void {
    if (response.status === 401) throw new TokenRefusedError('401');
    const { covers = (all, scope) => all.includes(scope) } = this.#provider;
    if (granted !== undefined && !needed.every((scope) => covers(granted, scope)))
      throw new TokenRefusedError('scopes');
  }

  #refuseBadStatus(response: Response): void {
    const { ok, status } = response;
    if (ok) return;
    const wait = rateLimitWait(response);
    if (wait !== undefined)
      throw this.#error(
        'provider_rate_limited',
        `asks for a pause: its rate limit is reached. Try again in ${String(wait)} seconds.`,
      );
    if (status === 404) throw this.#error('provider_rejected', 'has no such thing, or does not show it.');
    throw this.#error('provider_rejected', `refused the request (${String(status)}).`);
  }

  /** Of a read, the error itself; of a write, that nobody knows what was done. */
  #unclear(
    { method }: Sent,
    code: 'provider_unavailable' | 'tool_output_invalid',
    predicate: string,
    cause?: unknown,
  ): ToolError {
    if (method === 'GET') return this.#error(code, predicate, cause);
    return new ToolError('tool_outcome_unknown', ERRORS.tool_outcome_unknown.detail, { cause });
  }

  #error(code: ToolError['code'], predicate: string, cause?: unknown): ToolError {
    return new ToolError(code, `${this.#provider.label} ${predicate}`, { cause });
  }
}

/** `.` and `..` would be resolved away by the URL parser, encoded or not. */
function encodeSegment(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..')
    throw new ToolError('tool_input_invalid', 'A name is empty or consists of dots.');
  return encodeURIComponent(segment);
}

/** Seconds to wait, by `Retry-After` (RFC 9110, 10.2.3) or the headers that GitHub and others send. */
function rateLimitWait({ status, headers }: Response): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const retryAfter = numberIn(headers, 'retry-after');
  if (retryAfter !== undefined) return retryAfter;
  if (headers.get('x-ratelimit-remaining') !== '0') return status === 429 ? DEFAULT_WAIT_S : undefined;
  const reset = numberIn(headers, 'x-ratelimit-reset');
  return reset === undefined ? DEFAULT_WAIT_S : Math.max(1, Math.ceil(reset - Date.now() / 1000));
}

function numberIn(headers: Headers, name: string): number | undefined {
  const value = Number(headers.get(name) ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

/** Undefined for what is no JSON: no form of an answer takes that. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
