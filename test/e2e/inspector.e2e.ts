import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { flowPicture, PICTURE } from '../../local/inspector/flow-picture.ts';
import type { Hop } from '../../local/inspector/page/hop.ts';
import { hidden, redactedBody, redactedHeaders, redactedPath } from '../../local/inspector/redact.ts';
import { World } from '../support/world.ts';

describe('the flow inspector', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start({ inspect: true });
  });
  afterAll(() => world.close());

  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${world.stack.faultBoard.url}/inspector${path}`, init);
  const hops = async (since = 0): Promise<readonly Hop[]> =>
    (await (await ask(`/hops?since=${String(since)}`)).json()) as readonly Hop[];

  it('draws the picture of the flow that the README shows; else run: npm run docs:flow', async () => {
    expect(await flowPicture(world.stack)).toBe(readFileSync(PICTURE, 'utf8'));
  });

  it('has seen each step of the flow in its order, and who took it', async () => {
    const steps = (await hops()).flatMap(({ step, from, to }) =>
      step === undefined ? [] : `${step} ${from} ${to}`,
    );
    const order = [
      '1 browser load-balancer',
      '1 load-balancer agent',
      '2–3 agent agentcore-identity',
      '4–6 agent agentcore-identity',
      '8 browser load-balancer',
      '8 load-balancer session-binding',
      '8 browser provider',
      '9–10 browser agentcore-identity',
      '11 browser load-balancer',
      '11 load-balancer session-binding',
      '12 session-binding agentcore-identity',
      '13–14 agentcore-identity provider',
    ];
    const places = order.map((each) => steps.indexOf(each));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('keeps no secret: no token, code, cookie, ticket, session URI or state', async () => {
    const seen = JSON.stringify(await hops());
    const { grants } = world.stack.gitHub;
    const { vault } = world.stack.agentCoreIdentity;
    const secrets = [
      ...grants.accessTokens(),
      ...vault
        .sessions()
        .flatMap(({ state, customState = '', code = '', codeVerifier }) => [
          state,
          customState,
          code,
          codeVerifier,
        ])
        .filter((each) => each !== ''),
      'local-stack-github-client-secret',
    ];
    expect(secrets.length).toBeGreaterThan(2);
    for (const secret of secrets) expect(seen).not.toContain(secret);
    expect(seen).not.toMatch(
      /eyJ[\w-]{20,}\.[\w-]*\.|gh[opsur]_\w{20}|AWSELBAuthSessionCookie-\d=|code=[0-9a-f]{10}/,
    );
    expect(seen).toContain('‹hidden, ');
    expect(seen).toContain('alice@example.com');
  });

  it('tells what has changed since, with the answers', async () => {
    const all = await hops();
    const latest = Math.max(...all.map(({ version }) => version));
    await fetch(`${world.url}/sessions`);
    const news = await hops(latest);
    expect(news).toMatchObject([
      { from: 'browser', to: 'load-balancer', line: 'GET /sessions', status: 401 },
    ]);
    expect(all.every(({ status }) => status !== undefined)).toBe(true);
  });

  it('shows where a connection broke', async () => {
    world.stack.loadBalancer.faults.plan(/sessions/, { kind: 'reset' }, 1);
    await expect(fetch(`${world.url}/sessions`)).rejects.toThrow();
    expect((await hops()).at(-1)).toMatchObject({ status: 0 });
  });

  it.each([
    ['swapped-browser', 3],
    ['replay', 2],
    ['forged-token', 2],
  ])('plays an attack, which fails: %s', async (name, checks) => {
    const before = Math.max(...(await hops()).map(({ version }) => version));
    const answer = await ask(`/attacks/${name}`, { method: 'POST' });
    const { steps } = (await answer.json()) as {
      readonly steps: readonly {
        readonly checks: readonly { readonly what: string; readonly holds: boolean }[];
      }[];
    };
    const all = steps.flatMap((step) => step.checks);
    expect(all.filter(({ holds }) => !holds)).toEqual([]);
    expect(all).toHaveLength(checks);
    const refused = (await hops(before)).filter(({ status }) => status === 403 || status === 401);
    expect(refused.length).toBeGreaterThan(0);
  });

  it('plays no attack that it does not know', async () => {
    expect((await ask('/attacks/none', { method: 'POST' })).status).toBe(404);
    expect((await ask('/attacks/replay')).status).toBe(404);
  });

  it.each<[string, string, RequestInit]>([
    ['a page of another site', '/hops', { headers: { 'sec-fetch-site': 'cross-site' } }],
    [
      'another site that plays attacks',
      '/attacks/replay',
      { method: 'POST', headers: { origin: 'https://x.example' } },
    ],
    [
      'another site that clears it',
      '/clear',
      { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } },
    ],
  ])('answers nothing to %s', async (_name, path, init) => {
    expect((await ask(path, init)).status).toBe(403);
  });

  it.each(['/../package.json', '/page/main.ts', '/recorder.ts', '/__proto__'])(
    'has no file %s',
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  it('begins anew', async () => {
    expect((await ask('/clear', { method: 'POST' })).status).toBe(204);
    expect(await hops()).toEqual([]);
  });

  it('is not there where nothing is recorded', async () => {
    const other = await World.start();
    expect((await fetch(`${other.stack.faultBoard.url}/inspector`)).status).toBe(404);
    expect(other.stack.recorder).toBeUndefined();
    await other.close();
  });
});

describe('what the inspector hides', () => {
  it.each([
    ['/oauth2/connect?ticket=abc.def', `/oauth2/connect?ticket=${hidden('abc.def')}`],
    [
      '/cb?code=1234&state=xy&sessionId=one',
      `/cb?code=${hidden('1234')}&state=${hidden('xy')}&sessionId=one`,
    ],
    ['/sessions', '/sessions'],
  ])('is in the path %s', (path, shown) => {
    expect(redactedPath(path)).toBe(shown);
  });

  it.each([
    ['authorization', 'Bearer gho_12345678'],
    ['Cookie', 'a=b'],
    ['set-cookie', 'a=b'],
    ['x-amzn-oidc-data', 'eyJhbGciOi.eyJzdWIi.sig'],
  ])('is the header %s', (name, value) => {
    expect(redactedHeaders({ [name]: value, accept: 'text/html' })).toEqual({
      [name]: hidden(value),
      accept: 'text/html',
    });
  });

  it('is in bodies, by the names of members and by the forms of tokens', () => {
    const body = {
      accessToken: 'short',
      sessionId: 'one',
      data: [{ text: 'see gho_abcdefgh12', sessionUri: 'urn:x' }],
      connectUrl: 'http://localhost/oauth2/connect?ticket=xyz',
    };
    const shown = redactedBody('application/json', Buffer.from(JSON.stringify(body)));
    expect(JSON.parse(shown)).toEqual({
      accessToken: hidden('short'),
      sessionId: 'one',
      data: [{ text: `see ${hidden('gho_abcdefgh12')}`, sessionUri: hidden('urn:x') }],
      connectUrl: hidden(body.connectUrl),
    });
    const events = Buffer.from(`id: 1\ndata: ${JSON.stringify(body)}\n\n`);
    expect(redactedBody('text/event-stream', events)).not.toMatch(/short|gho_|xyz/);
    expect(redactedBody('application/x-www-form-urlencoded', Buffer.from('ticket=a.b&x=1'))).toBe(
      `ticket=${hidden('a.b')}&x=1`,
    );
    const cut = Buffer.from(JSON.stringify(body).slice(0, -9));
    expect(redactedBody('application/json', cut)).not.toContain('gho_');
    expect(redactedHeaders({ referer: 'http://localhost/oauth2/connect?ticket=xyz' }).referer).not.toContain(
      'xyz',
    );
    expect(redactedBody('text/html; charset=utf-8', Buffer.from('<p>secret'))).toBe('A page, 9 bytes');
    expect(redactedBody('application/vnd.amazon.eventstream', Buffer.from('secret'))).toBe(
      'Binary data, 6 bytes',
    );
  });
});
