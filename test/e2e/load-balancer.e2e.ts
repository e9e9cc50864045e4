import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { SessionCookie } from '../../local/load-balancer/session-cookie.ts';
import { tokenOf } from '../support/tokens.ts';
import { eventually, World } from '../support/world.ts';

describe("the load balancer's stand-in", () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start({ idleTimeoutMs: 700 }, { environment: { RUN_GRACE_SECONDS: '0' } });
  });
  afterAll(() => world.close());

  it.each([
    ['GET', '/', 302],
    ['GET', '/assets/logo.svg', 302],
    ['GET', '/docs', 302],
    ['GET', '/oauth2/connect?ticket=x', 302],
    ['GET', '/oauth2/session-binding', 302],
    ['POST', '/oauth2/connect', 401],
    ['POST', '/invocations', 401],
    ['GET', '/sessions', 401],
    ['GET', '/openapi.json', 401],
    ['GET', '/runs/run-1/events?sessionId=one', 401],
    ['POST', '/runs/run-1/stop?sessionId=one', 401],
    ['GET', '/usage', 401],
    ['GET', '/me', 401],
    ['GET', '/connections', 401],
    ['DELETE', '/connections/github', 401],
    ['GET', '/receipts', 401],
    ['POST', '/oauth2/revocation', 401],
    ['PATCH', '/sessions/one', 401],
    ['GET', '/ping', 404],
    ['GET', '/ready', 404],
    ['GET', '/elsewhere', 404],
    ['GET', '//docs', 404],
  ])('answers %s %s without a session with %i: no rule allows it', async (method, path, status) => {
    expect((await fetch(world.url + path, { method, redirect: 'manual' })).status).toBe(status);
  });

  it('replaces an identity header from a client with its own', async () => {
    const alice = await world.signIn('alice@example.com');
    await world.ask(alice, 'mine', 'hello');
    const sent = { 'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub: 'somebody-else' } }) };
    const answer = await alice.request(`${world.url}/sessions`, { headers: sent });
    expect(answer.text).toContain('"sessionId":"mine"');
    expect((await new HttpBrowser().request(`${world.url}/sessions`, { headers: sent })).status).toBe(401);
  });

  it('cuts a stream that is silent for too long; the turn is saved as cancelled', async () => {
    const alice = await world.signIn('alice@example.com');
    world.stack.bedrock.faults.plan(/./, { kind: 'hang' }, 1);
    await expect(world.ask(alice, 'silent', 'hello')).rejects.toThrow();
    await eventually(async () =>
      (await alice.request(`${world.url}/sessions/silent`)).text.includes('"outcome":"cancelled"'),
    );
  });

  it('refuses a sign-in that was not started in this browser, and reports a cancelled one', async () => {
    const elsewhere = await fetch(`${world.url}/oauth2/idpresponse?code=x&state=y`);
    expect(elsewhere.status).toBe(401);
    const browser = new HttpBrowser();
    const chooser = await browser.navigate(`${world.url}/docs`);
    const cancelled = await browser.submitAndFollow(chooser, { cancel: '1' });
    expect(cancelled.status).toBe(401);
    expect(cancelled.text).toContain('was cancelled');
  });

  it('cuts a large session into cookies of 4 KB', async () => {
    const cookie = new SessionCookie(60);
    const session = { claims: { sub: 'a' }, accessToken: 'x'.repeat(6_000) };
    const written = (await cookie.write(session)).map(
      (set) => (set.split(';')[0] ?? '').split('=') as [string, string],
    );
    expect(written.filter(([, value]) => value !== '').map(([name]) => name)).toEqual([
      'AWSELBAuthSessionCookie-0',
      'AWSELBAuthSessionCookie-1',
      'AWSELBAuthSessionCookie-2',
    ]);
    expect(await cookie.read(new Map(written))).toEqual(session);
    expect(await new SessionCookie(60).read(new Map(written))).toBeUndefined();
  });
});
