import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { World } from '../support/world.ts';

describe('signing out', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it('ends the session at the load balancer and at the identity provider', async () => {
    const browser = await world.signIn('alice@example.com');
    const page = await browser.navigate(`${world.url}/sign-out`);
    expect(page.text).toContain('Signed in as Alice Arden');
    expect((await browser.request(`${world.url}/sessions`)).status).toBe(200);
    const asked = await browser.submitAndFollow(page);
    expect(asked.url).toContain(world.stack.identityProvider.url);
    expect(asked.text).toContain('Sign out of your organization?');
    expect((await browser.jar.getCookies(world.url)).filter(({ value }) => value !== '')).toEqual([]);
    expect((await browser.request(`${world.url}/sessions`)).status).toBe(401);
    await browser.submitAndFollow(asked, { logout: 'yes' });
    const chooser = await browser.navigate(`${world.url}/docs`);
    expect(chooser.text).toContain('Pick an account');
  });

  it('needs a request from our own page and a signed-in user', async () => {
    const browser = await world.signIn('alice@example.com');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const foreign = await browser.request(`${world.url}/sign-out`, {
      method: 'POST',
      headers: { ...headers, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    });
    expect(foreign.status).toBe(403);
    expect((await browser.request(`${world.url}/sessions`)).status).toBe(200);
    expect((await fetch(`${world.url}/sign-out`, { method: 'POST' })).status).toBe(401);
  });

  it.each(['/docs', '/oauth2/connect?ticket=x', '/oauth2/session-binding'])(
    'is offered at %s, which shows the signed-in user',
    async (path) => {
      const browser = await world.signIn('alice@example.com');
      const page = await browser.navigate(`${world.url}${path}`);
      expect(page.text).toContain('Signed in as Alice Arden');
      expect(page.text).toContain('href="/sign-out"');
    },
  );
});
