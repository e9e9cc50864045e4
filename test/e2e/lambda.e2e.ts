import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { startLambdaTarget, type LambdaTarget } from '../support/lambda-target.ts';
import { tokenOf } from '../support/tokens.ts';
import { connectUrlOf, World } from '../support/world.ts';

/** docs/lambda.md: session binding as a function behind the same load balancer. */
describe('session binding on Lambda', () => {
  let world: World;
  let target: LambdaTarget;

  beforeAll(async () => {
    world = await World.start();
    target = await startLambdaTarget(world.roles.sessionBinding);
    world.stack.loadBalancer.register({ agent: [world.roles.agent.url], 'session-binding': [target.url] });
  });
  afterAll(async () => {
    target.close();
    await world.close();
  });

  it('completes one consent after another while the process is frozen in between, with answers that a load balancer accepts', async () => {
    for (const [username, login] of [
      ['alice@example.com', 'alice-octo'],
      ['bob@example.com', 'bob-octo'],
    ] as const) {
      const browser = await world.signIn(username);
      const paused = await world.ask(browser, 'lambda', 'Who am I on GitHub?');
      const page = await world.consent(browser, connectUrlOf(paused), login);
      expect(page.text).toContain('GitHub is connected');
      const ids = paused.interrupts.map(({ id }) => id);
      expect((await world.resume(browser, 'lambda', ids)).text).toContain(login);
    }
    expect(target.invocations()).toBeGreaterThanOrEqual(6);
    expect(target.largest()).toBeLessThan(64 * 1024);
  });

  it('refuses the link of another user', async () => {
    const paused = await world.ask(
      await world.signIn('alice@example.com'),
      'swap',
      'List my repositories on GitHub',
    );
    const page = await (await world.signIn('bob@example.com')).navigate(connectUrlOf(paused));
    expect(page.status).toBe(403);
    expect(page.text).not.toContain('<form');
  });

  it('receives both tokens of one request, and accepts neither', async () => {
    const token = tokenOf(world.stack);
    const ask = (tokens: readonly string[]): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = { 'x-amzn-oidc-data': [...tokens], accept: 'text/html' };
        request(`${target.url}/oauth2/connect?ticket=x`, { headers, agent: false }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on('error', reject)
          .end();
      });
    // The request is refused, and the redirect removes the ticket from the address.
    expect(await ask([token])).toBe(303);
    expect(await ask([token, token])).toBe(401);
  });

  it('accepts no sign-in from the headers that the adapter adds', async () => {
    const browser = new HttpBrowser();
    const answer = await browser.request(`${target.url}/oauth2/connect?ticket=x`, {
      headers: { 'x-amzn-request-context': '{"identity":{"sub":"alice"}}' },
    });
    expect(answer.status).toBe(401);
  });
});
