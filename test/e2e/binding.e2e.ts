import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type HttpBrowser } from '../../local/lib/http-browser.ts';
import { connectUrlOf, World } from '../support/world.ts';

describe('connect and session binding', () => {
  let world: World;
  let alice: HttpBrowser;
  let connectUrl: string;
  let number = 0;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    await world.reset();
    number += 1;
    alice = await world.signIn('alice@example.com');
    connectUrl = connectUrlOf(await world.ask(alice, `binding-${String(number)}`, 'Who am I on GitHub?'));
  });

  const completions = (): number =>
    world.stack.agentCoreIdentity.calls.filter(({ operation }) => operation === 'CompleteResourceTokenAuth')
      .length;

  it('binds the token, and notifies the waiting page', async () => {
    const done = await world.consent(alice, connectUrl, 'alice-octo');
    expect(done.text).toContain('BroadcastChannel');
    expect(done.text).toContain(`"sessionId":"binding-${String(number)}"`);
    expect(world.vault()).toContain('gho_');
  });

  it('shows a denial at the provider to the user, and binds nothing', async () => {
    const denied = await world.consent(alice, connectUrl, 'alice-octo', 'cancel');
    expect(denied.status).toBe(200);
    expect(denied.text).toContain('You did not authorize access');
    expect(denied.text).toContain('"type":"authorization_denied"');
    expect(denied.text).not.toContain('Request <code>');
    expect(world.vault()).toBe('{}');
  });

  it('shows a denial that has no session', async () => {
    const page = await alice.navigate(
      `${world.url}/oauth2/session-binding?error=access_denied&error_description=<b>x`,
    );
    expect(page.status).toBe(200);
    expect(page.text).toContain('You did not authorize access');
    expect(page.text).not.toContain('<b>x');
  });

  it('shows an expired session, and binds nothing', async () => {
    const back = await world.consentUpToBinding(alice, connectUrl, 'alice-octo');
    world.advance(11 * 60_000);
    const page = await alice.navigate(back);
    expect(page.status).toBe(410);
    expect(page.text).toContain('has expired');
    expect(world.vault()).toBe('{}');
  });

  it('shows the connect page only to the user who asked', async () => {
    const bob = await world.signIn('bob@example.com');
    const page = await bob.navigate(connectUrl);
    expect(page.status).toBe(403);
    expect(page.text).toContain('another account');
    const posted = await bob.request(`${world.url}/oauth2/connect`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ticket: new URL(connectUrl).searchParams.get('ticket') ?? '' }).toString(),
    });
    expect(posted.status).toBe(403);
    expect(posted.headers.get('location')).toBe(null);
  });

  it('refuses another user in the browser that has the flow cookie', async () => {
    const back = await world.consentUpToBinding(alice, connectUrl, 'alice-octo');
    const bob = await world.signIn('bob@example.com');
    for (const cookie of await alice.jar.getCookies(world.url)) {
      if (cookie.key.includes('flow')) await bob.jar.setCookie(cookie, world.url);
    }
    const before = completions();
    const page = await bob.navigate(back);
    expect(page.status).toBe(403);
    expect(page.text).toContain('another account');
    expect(completions()).toEqual(before);
    expect(world.vault()).toBe('{}');
  });

  it('refuses a browser without the flow cookie', async () => {
    const back = await world.consentUpToBinding(alice, connectUrl, 'alice-octo');
    const elsewhere = await world.signIn('alice@example.com');
    const page = await elsewhere.navigate(back);
    expect(page.status).toBe(403);
    expect(page.text).toContain('not started in this browser');
    expect(world.vault()).toBe('{}');
  });

  it.each([
    [
      'missing',
      (url: URL) => {
        url.searchParams.delete('state');
      },
    ],
    [
      'foreign',
      (url: URL) => {
        url.searchParams.set('state', 'x'.repeat(43));
      },
    ],
    [
      'sent twice',
      (url: URL) => {
        url.searchParams.append('state', 'y');
      },
    ],
  ])('refuses a state that is %s', async (_name, change) => {
    const back = new URL(await world.consentUpToBinding(alice, connectUrl, 'alice-octo'));
    change(back);
    const page = await alice.navigate(back.href);
    expect(page.status).toBe(400);
    expect(page.text).toContain('not valid');
    expect(world.vault()).toBe('{}');
  });

  it('says that the flow is complete when the address is opened again, and calls no service', async () => {
    const back = await world.consentUpToBinding(alice, connectUrl, 'alice-octo');
    await alice.navigate(back);
    const [before, vault] = [completions(), world.vault()];
    const again = await alice.navigate(back);
    expect(again.status).toBe(200);
    expect(again.text).toContain('already connected');
    expect(completions()).toEqual(before);
    expect(world.vault()).toEqual(vault);
  });

  it('completes once for 20 parallel callbacks', async () => {
    const back = await world.consentUpToBinding(alice, connectUrl, 'alice-octo');
    const before = world.stack.gitHub.grants.exchanges.length;
    const pages = await Promise.all(Array.from({ length: 20 }, () => alice.navigate(back)));
    expect(pages.some(({ text }) => text.includes('GitHub is connected'))).toBe(true);
    expect(world.stack.gitHub.grants.exchanges).toHaveLength(before + 1);
  });

  it.each(['', 'x', 'a.b.c.d.e', 'x'.repeat(9_000)])('refuses a forged ticket (%#)', async (ticket) => {
    const page = await alice.navigate(`${world.url}/oauth2/connect?ticket=${ticket}`);
    expect(page.status).toBe(400);
    expect(page.text).toContain('not valid');
  });

  it('does not redirect to an address in a parameter', async () => {
    const page = await alice.navigate(
      `${connectUrl}&next=https://evil.example&redirect_uri=https://evil.example`,
    );
    const answer = await alice.submit(page);
    expect(answer.headers.get('location')).toContain(
      `${world.stack.agentCoreIdentity.url}/identities/oauth2/authorize`,
    );
  });

  it('shows a fault of the operator and an unavailable service as different errors', async () => {
    const back = await world.consentUpToBinding(alice, connectUrl, 'alice-octo');
    const denied = JSON.stringify({
      message: 'User: x is not authorized to perform: bedrock-agentcore:CompleteResourceTokenAuth',
    });
    const headers = { 'x-amzn-errortype': 'AccessDeniedException' };
    world.stack.agentCoreIdentity.faults.plan(
      /Complete/,
      { kind: 'answer', status: 403, headers, body: denied },
      1,
    );
    const misconfigured = await alice.navigate(back);
    expect(misconfigured.status).toBe(500);
    expect(misconfigured.text).toContain('misconfigured');
    world.stack.agentCoreIdentity.faults.plan(/Complete/, { kind: 'reset' }, 1);
    const down = await alice.navigate(back);
    expect(down.status).toBe(503);
    expect(down.text).toContain('unavailable');
    expect((await alice.navigate(back)).text).toContain('GitHub is connected');
  });
});
