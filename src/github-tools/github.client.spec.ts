import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { AgentRoleConfig } from '../config/index.js';
import { TokenRefusedError, ToolError, type ToolCallContext } from '../tools/index.js';
import { GitHubClient } from './github.client.js';

const answer = z.object({ ok: z.literal(true) });

describe('GitHubClient', () => {
  let server: Server;
  let client: GitHubClient;
  let seen: IncomingMessage[];
  let respond: (response: ServerResponse) => void;

  beforeEach(async () => {
    seen = [];
    respond = (response) => response.end('{"ok":true}');
    server = createServer((request, response) => {
      seen.push(request);
      respond(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apiBase = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/api/v3`;
    client = new GitHubClient({ github: { apiBase } } as AgentRoleConfig);
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const context = (signal = new AbortController().signal): ToolCallContext => ({
    accessToken: 'token',
    user: { sub: 'a' },
    signal,
  });
  const get = (path: readonly string[] = ['user'], scopes: readonly string[] = [], signal?: AbortSignal) =>
    client.get({ path, scopes, answer, query: { a: 'b&c' } }, context(signal));

  it("sends the token, GitHub's headers and an encoded query", async () => {
    expect(await get()).toEqual({ ok: true });
    expect(seen[0]?.url).toBe('/api/v3/user?a=b%26c');
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer token',
      accept: 'application/vnd.github+json',
    });
  });

  it.each(['a@b', '//evil.example', 'a/../../x', 'a\\b', 'a\r\nb', '?x', '#x', '%2e%2e'])(
    'keeps the segment %j in its place',
    async (segment) => {
      await get(['repos', segment]);
      expect(seen[0]?.url).toBe(`/api/v3/repos/${encodeURIComponent(segment)}?a=b%26c`);
    },
  );

  it.each(['', '.', '..'])('refuses the segment %j', async (segment) => {
    await expect(get(['repos', segment])).rejects.toMatchObject({ code: 'tool_input_invalid' });
    expect(seen).toEqual([]);
  });

  const status =
    (code: number, headers: Record<string, string> = {}) =>
    (response: ServerResponse) =>
      response.writeHead(code, headers).end('{}');
  it.each([
    [status(403, { 'retry-after': '42' }), 'provider_rate_limited', /42 seconds/],
    [status(429), 'provider_rate_limited', /60 seconds/],
    [status(403, { 'x-ratelimit-remaining': '0' }), 'provider_rate_limited', /60 seconds/],
    [
      status(403, {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 600),
      }),
      'provider_rate_limited',
      /(59\d|60\d) seconds/,
    ],
    [status(403), 'provider_rejected', /403/],
    [status(404), 'provider_rejected', /no such thing/],
    [status(500), 'provider_unavailable', /problem/],
    [status(302, { location: '/api/v3/elsewhere' }), 'provider_unavailable', /did not answer/],
    [(response: ServerResponse) => response.destroy(), 'provider_unavailable', /did not answer/],
    [(response: ServerResponse) => response.end('{'), 'tool_output_invalid', /not understood/],
    [(response: ServerResponse) => response.end('{"ok":false}'), 'tool_output_invalid', /not understood/],
    [
      (response: ServerResponse) => response.end(Buffer.alloc(5 * 1024 * 1024)),
      'tool_output_invalid',
      /more than/,
    ],
  ])('turns an answer into a typed error (%#)', async (behaviour, code, message) => {
    respond = behaviour;
    const error = await get().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ToolError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as unknown });
    // Nothing is tried again, and no redirect is followed.
    expect(seen).toHaveLength(1);
  });

  it('says that the token is refused when it is, or when it lacks a scope', async () => {
    respond = status(401);
    await expect(get()).rejects.toThrow(TokenRefusedError);
    respond = (response) =>
      response.writeHead(200, { 'x-oauth-scopes': 'repo, read:org' }).end('{"ok":true}');
    await expect(get(['user'], ['read:user'])).rejects.toThrow(TokenRefusedError);
    await expect(get(['user'], ['repo'])).resolves.toEqual({ ok: true });
    respond = (response) => response.writeHead(200, { 'x-oauth-scopes': 'user' }).end('{"ok":true}');
    await expect(get(['user'], ['read:user'])).resolves.toEqual({ ok: true });
  });

  it('stops when the run is cancelled', async () => {
    respond = () => undefined;
    const controller = new AbortController();
    const running = get(['user'], [], controller.signal);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'provider_unavailable' });
  });
});
