import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tokenOf } from '../support/tokens.ts';
import { World } from '../support/world.ts';

describe('the routes of both roles', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const agent = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(world.roles.agent.url + path, init);
  const signedIn = (headers: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    'x-amzn-oidc-data': tokenOf(world.stack),
    ...headers,
  });

  it.each([
    ['agent', 'GET', '/'],
    ['agent', 'GET', '/assets/logo.svg'],
    ['agent', 'GET', '/me'],
    ['agent', 'GET', '/connections'],
    ['agent', 'DELETE', '/connections/github'],
    ['agent', 'DELETE', '/connections/github/rules/x'],
    ['agent', 'GET', '/receipts'],
    ['agent', 'GET', '/docs'],
    ['agent', 'GET', '/docs/swagger-ui-bundle.js'],
    ['agent', 'GET', '/docs/swagger-ui.css'],
    ['agent', 'GET', '/openapi.json'],
    ['agent', 'POST', '/invocations'],
    ['agent', 'GET', '/sessions'],
    ['agent', 'GET', '/usage'],
    ['agent', 'GET', '/sessions/x'],
    ['agent', 'PATCH', '/sessions/x'],
    ['agent', 'DELETE', '/sessions/x'],
    ['sessionBinding', 'GET', '/oauth2/connect'],
    ['sessionBinding', 'POST', '/oauth2/connect'],
    ['sessionBinding', 'GET', '/oauth2/session-binding'],
    ['sessionBinding', 'POST', '/oauth2/revocation'],
  ] as const)('%s %s %s refuses a request without a token', async (role, method, path) => {
    const answer = await fetch(world.roles[role].url + path, { method, redirect: 'manual' });
    expect(answer.status).toBe(401);
  });

  it.each(['agent', 'sessionBinding'] as const)('%s answers the health checks to anyone', async (role) => {
    const ping = await fetch(`${world.roles[role].url}/ping`);
    const body = (await ping.json()) as { status: string; time_of_last_update: number };
    expect(body.status).toBe('Healthy');
    expect(Number.isInteger(body.time_of_last_update)).toBe(true);
    expect((await fetch(`${world.roles[role].url}/ready`)).status).toBe(200);
  });

  it.each(
    ['HEAD', 'OPTIONS', 'PUT', 'PATCH'].flatMap((method) =>
      ['/sessions', '/docs', '/invocations'].map((path) => [method, path] as const),
    ),
  )('the agent role answers 404 to %s %s', async (method, path) => {
    expect((await agent(path, { method, headers: signedIn() })).status).toBe(404);
  });

  it.each(['HEAD', 'OPTIONS', 'PUT', 'PATCH'])('the callback answers 404 to %s', async (method) => {
    const binding = `${world.roles.sessionBinding.url}/oauth2/session-binding?session_id=x`;
    expect((await fetch(binding, { method, headers: signedIn() })).status).toBe(404);
  });

  it.each([
    '',
    '{',
    '[]',
    '{}',
    '{"sessionId":"a b","message":"x"}',
    '{"sessionId":"a","message":" "}',
    '{"sessionId":"a","message":"x","secret":"SECRET"}',
    '{"sessionId":"a","resume":[]}',
    '{"sessionId":"a","resume":[{"interruptId":"i","status":"maybe"}]}',
    '{"threadId":"a","runId":"r","messages":[]}',
  ])('refuses the body %j without repeating the input', async (body) => {
    const answer = await agent('/invocations', {
      method: 'POST',
      headers: signedIn({ 'content-type': 'application/json' }),
      body,
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.text()).not.toContain('SECRET');
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
  ])('refuses %s on an API route', async (type) => {
    const body = '{"sessionId":"a","message":"x"}';
    const answer = await agent('/invocations', {
      method: 'POST',
      headers: signedIn({ 'content-type': type }),
      body,
    });
    expect(answer.status).toBe(415);
  });

  it.each(['image', 'iframe', 'script', 'empty', 'object'])(
    'does not open a consent page inside another page: %s',
    async (destination) => {
      for (const path of ['/oauth2/connect?ticket=x', '/oauth2/session-binding?session_id=x&state=x']) {
        const answer = await fetch(world.roles.sessionBinding.url + path, {
          headers: signedIn({ 'sec-fetch-dest': destination }),
        });
        expect(answer.status).toBe(403);
        expect(((await answer.json()) as { code: string }).code).toBe('cross_site_request');
      }
      const there = await fetch(`${world.roles.sessionBinding.url}/oauth2/connect?ticket=x`, {
        headers: signedIn({ 'sec-fetch-dest': 'document' }),
      });
      expect(there.status).toBe(400);
    },
  );

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'none' }],
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
  ])('refuses a cross-site request: %j', async (headers) => {
    const init = {
      method: 'POST',
      headers: signedIn({ 'content-type': 'application/json', ...headers }),
      body: '{"sessionId":"a","message":"x"}',
    };
    const answer = await agent('/invocations', init);
    expect(answer.status).toBe(403);
    expect(((await answer.json()) as { code: string }).code).toBe('cross_site_request');
    expect(world.stack.bedrock.requests).toEqual([]);
  });

  it('refuses a body over its limit', async () => {
    const body = JSON.stringify({ sessionId: 'a', message: 'x'.repeat(300_000) });
    const answer = await agent('/invocations', {
      method: 'POST',
      headers: signedIn({ 'content-type': 'application/json' }),
      body,
    });
    expect(answer.status).toBe(413);
  });

  it('serves a request with 60 KB of headers', async () => {
    const cookie = Array.from({ length: 15 }, (_, index) => `c${String(index)}=${'x'.repeat(4_000)}`).join(
      '; ',
    );
    expect((await agent('/sessions', { headers: signedIn({ cookie }) })).status).toBe(200);
  });

  it('sends security headers, and no headers that name the framework or allow other origins', async () => {
    const { headers } = await agent('/ping', { headers: { origin: 'https://evil.example' } });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('server')).toBe(null);
    expect(headers.get('x-powered-by')).toBe(null);
    expect(headers.get('access-control-allow-origin')).toBe(null);
  });

  it('answers an unknown address by a problem document, and by a page to a browser', async () => {
    const problem = await agent('/nothing', { headers: signedIn() });
    expect(problem.status).toBe(404);
    expect(((await problem.json()) as { code: string }).code).toBe('not_found');
    const page = await agent('/nothing', { headers: signedIn({ accept: 'text/html,*/*' }) });
    expect(page.headers.get('content-type')).toContain('text/html');
  });
});
