import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { openCircuit } from '../common/circuit/testing/open-circuit.js';
import { ProviderApi } from './provider-api.js';
import { TokenRefusedError, ToolError, type ProviderCallContext } from './index.js';

const answer = z.object({ ok: z.literal(true) });

/** One that tells a token's scopes, of which a wider one includes another, as GitHub does. */
const conventions = {
  label: 'Parrot',
  headers: { accept: 'application/vnd.parrot+json' },
  grantedScopes: (headers: Headers) => headers.get('x-oauth-scopes')?.split(', '),
  covers: (granted: readonly string[], needed: string) =>
    granted.includes(needed) || (needed === 'read:user' && granted.includes('user')),
};

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

describe('ProviderApi', () => {
  let server: Server;
  let client: ProviderApi;
  let seen: IncomingMessage[];
  let respond: (response: ServerResponse) => unknown;

  beforeEach(async () => {
    seen = [];
    respond = (response) => response.end('{"ok":true}');
    server = createServer((request, response) => {
      seen.push(request);
      respond(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apiBase = `http://127.0.0.1:${String(portOf(server))}/api/v3`;
    client = new ProviderApi(conventions, { apiBase, deadlineMs: 10_000 });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const context = (
    scopes: readonly string[] = [],
    signal = new AbortController().signal,
  ): ProviderCallContext => ({ accessToken: 'token', scopes, signal });
  const get = (path: readonly string[] = ['user'], scopes: readonly string[] = [], signal?: AbortSignal) =>
    client.get({ path, answer, query: { a: 'b&c' } }, context(scopes, signal));

  it("sends the token, the provider's headers and an encoded query", async () => {
    expect(await get()).toEqual({ ok: true });
    expect(seen[0]?.url).toBe('/api/v3/user?a=b%26c');
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer token',
      accept: 'application/vnd.parrot+json',
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
    expect(seen).toHaveLength(1);
  });

  it.each([
    ['a server error', status(500), /problem/],
    ['a redirect, which is not followed', status(302, { location: '/api/v3/elsewhere' }), /did not answer/],
    ['a connection that breaks', (response: ServerResponse) => response.destroy(), /did not answer/],
    [
      'an answer that breaks off',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': '11' }).write('{"ok"');
        setTimeout(() => response.destroy(), 5);
      },
      /did not answer/,
    ],
  ])('tries three times after %s', async (_name, behaviour, message) => {
    respond = behaviour;
    await expect(get()).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(message) as unknown,
    });
    expect(seen).toHaveLength(3);
  });

  it('gives the answer of a later attempt', async () => {
    respond = (response) => {
      if (seen.length < 3) status(503)(response);
      else response.end('{"ok":true}');
    };
    await expect(get()).resolves.toEqual({ ok: true });
  });

  it.each([
    ['does not answer', () => undefined],
    ['stops in the middle of an answer', (response: ServerResponse) => response.writeHead(200).write('{')],
    ['fails until the deadline', status(503)],
  ])('ends at its deadline when the provider %s', async (_name, behaviour) => {
    respond = behaviour;
    const apiBase = `http://127.0.0.1:${String(portOf(server))}`;
    client = new ProviderApi(conventions, { apiBase, deadlineMs: 80 });
    const startedAt = performance.now();
    await expect(get()).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
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

  it('takes any scopes where the provider does not tell which the token has', async () => {
    const silent = new ProviderApi(
      { label: 'Parrot' },
      { apiBase: `http://127.0.0.1:${String(portOf(server))}`, deadlineMs: 10_000 },
    );
    respond = (response) => response.writeHead(200, { 'x-oauth-scopes': 'none' }).end('{"ok":true}');
    await expect(silent.getWithScopes({ path: ['user'], answer }, context(['repo']))).resolves.toEqual({
      data: { ok: true },
      scopes: undefined,
    });
  });

  it('requires the very scope where nothing is said of wider ones', async () => {
    const { grantedScopes } = conventions;
    const plain = new ProviderApi(
      { label: 'Parrot', grantedScopes },
      { apiBase: `http://127.0.0.1:${String(portOf(server))}`, deadlineMs: 10_000 },
    );
    respond = (response) => response.writeHead(200, { 'x-oauth-scopes': 'user' }).end('{"ok":true}');
    const asking = (scope: string) => plain.get({ path: ['user'], answer }, context([scope]));
    await expect(asking('user')).resolves.toEqual({ ok: true });
    await expect(asking('read:user')).rejects.toThrow(TokenRefusedError);
  });

  describe('that writes', () => {
    const write = () =>
      client.write({ method: 'POST', path: ['issues'], body: { title: 'a' }, answer }, context());

    it('sends the body once, as JSON', async () => {
      let body = '';
      respond = (response) => {
        seen.at(-1)?.on('data', (chunk: Buffer) => (body += chunk.toString()));
        seen.at(-1)?.on('end', () => response.end('{"ok":true}'));
      };
      expect(await write()).toEqual({ ok: true });
      expect(body).toBe('{"title":"a"}');
      expect(seen).toHaveLength(1);
      expect(seen[0]?.headers['content-type']).toBe('application/json');
    });

    it.each<[string, (response: ServerResponse) => unknown, string]>([
      ['there is no answer', (response) => response.destroy(), 'tool_outcome_unknown'],
      ['the server has a problem', status(500), 'tool_outcome_unknown'],
      ['the answer is too long', (r) => r.end(Buffer.alloc(5 * 1024 * 1024)), 'tool_outcome_unknown'],
      ['the answer is not understood', (response) => response.end('{'), 'tool_outcome_unknown'],
      ['the server refuses', status(422), 'provider_rejected'],
      ['there is no such thing', status(404), 'provider_rejected'],
      ['the rate limit is reached', status(429), 'provider_rate_limited'],
    ])('says what is known where %s', async (_name, behaviour, code) => {
      respond = behaviour;
      await expect(write()).rejects.toMatchObject({ code });
      expect(seen).toHaveLength(1);
    });

    it('says that the token is refused', async () => {
      respond = status(401);
      await expect(write()).rejects.toThrow(TokenRefusedError);
    });
  });

  it('does not send anything while the provider is down, so a write was not done', async () => {
    respond = status(503);
    const write = () => client.write({ path: ['issues'], answer, method: 'POST' }, context());
    await openCircuit(write);
    const refused = { code: 'provider_unavailable', cause: { name: 'CircuitOpenError' } };
    await expect(write()).rejects.toMatchObject(refused);
    await expect(get()).rejects.toMatchObject(refused);
    expect(seen).toHaveLength(5);
  });

  it('stops when the run is cancelled', async () => {
    respond = () => undefined;
    const controller = new AbortController();
    const running = get(['user'], [], controller.signal);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'provider_unavailable' });
  });
});
