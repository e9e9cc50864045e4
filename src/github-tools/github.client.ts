import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { CONFIG, type AgentRoleConfig } from '../config/index.js';
import { TokenRefusedError, ToolError, type ToolCallContext } from '../tools/index.js';
import { covers } from './github.scopes.js';

export interface GitHubRequest<T> {
  /** Path segments; each is encoded, so that none can leave its place. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number>>;
  /** The scopes that the token must have. */
  readonly scopes: readonly string[];
  readonly answer: z.ZodType<T>;
}

type CallContext = Pick<ToolCallContext, 'accessToken' | 'signal'>;

const TIMEOUT_MS = 10_000;
const MAXIMUM_BYTES = 4 * 1024 * 1024;
/** https://docs.github.com/rest/about-the-rest-api/api-versions */
const HEADERS = {
  accept: 'application/vnd.github+json',
  'user-agent': 'OnBehalf',
  'x-github-api-version': '2022-11-28',
};

/** GitHub's REST API. Every request stays on the configured origin and path; redirects are not followed. */
@Injectable()
export class GitHubClient {
  readonly #base: string;

  constructor(@Inject(CONFIG) config: AgentRoleConfig) {
    this.#base = config.github.apiBase;
  }

  /** @throws ToolError | TokenRefusedError */
  async get<T>(request: GitHubRequest<T>, context: CallContext): Promise<T> {
    return (await this.getWithScopes(request, context)).data;
  }

  /** The scopes are the token's own; undefined where GitHub does not tell. @throws ToolError | TokenRefusedError */
  async getWithScopes<T>(
    request: GitHubRequest<T>,
    context: CallContext,
  ): Promise<{ readonly data: T; readonly scopes: readonly string[] | undefined }> {
    const url = new URL(`${this.#base}/${request.path.map(encodeSegment).join('/')}`);
    for (const [name, value] of Object.entries(request.query ?? {}))
      url.searchParams.set(name, String(value));
    const { response, text } = await this.#send(url, context);
    const scopes = scopesOf(response);
    requireScopes(response, scopes, request.scopes);
    refuseBadStatus(response);
    const parsed = request.answer.safeParse(parseJson(text));
    if (parsed.success) return { data: parsed.data, scopes };
    throw new ToolError('tool_output_invalid', 'GitHub answered in a form that is not understood.', {
      cause: parsed.error,
    });
  }

  async #send(url: URL, { accessToken, signal }: CallContext): Promise<{ response: Response; text: string }> {
    try {
      const response = await fetch(url, {
        headers: { ...HEADERS, authorization: `Bearer ${accessToken}` },
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      return { response, text: await readText(response) };
    } catch (error) {
      if (error instanceof ToolError) throw error;
      throw new ToolError('provider_unavailable', 'GitHub did not answer. Try again in a moment.', {
        cause: error,
      });
    }
  }
}

/** `.` and `..` would be resolved away by the URL parser, encoded or not. */
function encodeSegment(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..') {
    throw new ToolError('tool_input_invalid', 'A name is empty or consists of dots.');
  }
  return encodeURIComponent(segment);
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAXIMUM_BYTES)
      throw new ToolError('tool_output_invalid', 'GitHub answered with more than can be read.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Classic OAuth tokens tell their scopes; GitHub App tokens have none, and send no such header. */
function scopesOf(response: Response): readonly string[] | undefined {
  return response.headers
    .get('x-oauth-scopes')
    ?.split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
}

function requireScopes(
  response: Response,
  granted: readonly string[] | undefined,
  required: readonly string[],
): void {
  if (response.status === 401) throw new TokenRefusedError('401');
  if (granted !== undefined && !required.every((scope) => covers(granted, scope)))
    throw new TokenRefusedError('scopes');
}

function refuseBadStatus(response: Response): void {
  if (response.ok) return;
  const wait = rateLimitWait(response);
  if (wait !== undefined) {
    throw new ToolError(
      'provider_rate_limited',
      `GitHub's rate limit is reached. Try again in ${String(wait)} seconds.`,
    );
  }
  if (response.status >= 500)
    throw new ToolError('provider_unavailable', 'GitHub has a problem. Try again in a moment.');
  if (response.status === 404)
    throw new ToolError('provider_rejected', 'GitHub has no such thing, or does not show it.');
  throw new ToolError('provider_rejected', `GitHub refused the request (${String(response.status)}).`);
}

/** Seconds to wait: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function rateLimitWait(response: Response): number | undefined {
  if (response.status !== 403 && response.status !== 429) return undefined;
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  if (Number.isFinite(retryAfter)) return retryAfter;
  if (response.headers.get('x-ratelimit-remaining') !== '0') return response.status === 429 ? 60 : undefined;
  const reset = Number(response.headers.get('x-ratelimit-reset') ?? Number.NaN);
  return Number.isFinite(reset) ? Math.max(1, Math.ceil(reset - Date.now() / 1000)) : 60;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ToolError('tool_output_invalid', 'GitHub answered in a form that is not understood.', {
      cause: error,
    });
  }
}
