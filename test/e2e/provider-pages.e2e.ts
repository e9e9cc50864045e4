import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpBrowser, type Answer } from '../../local/lib/http-browser.ts';
import { connectAlice } from '../support/connected-user.ts';
import { World } from '../support/world.ts';

/** The pages that the links of the local GitHub lead to. */
describe("GitHub's own pages, on the local stack", () => {
  let world: World;
  let browser: HttpBrowser;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.reset();
    browser = new HttpBrowser();
  });

  const settings = (): string => `${world.stack.gitHub.url}/settings/applications`;
  const signedInAs = async (login: string): Promise<Answer> =>
    browser.submitAndFollow(await browser.navigate(settings()), { login });
  const open = (path: string): Promise<Answer> => browser.navigate(world.stack.gitHub.url + path);

  it('a user finds the settings at the address in their connections, and revokes what they have authorized', async () => {
    const alice = await connectAlice(world);
    const { connections } = JSON.parse((await alice.request(`${world.url}/connections`)).text) as {
      readonly connections: readonly { readonly settingsUrl: string }[];
    };
    expect(connections[0]?.settingsUrl).toBe(settings());
    const page = await signedInAs('alice-octo');
    expect(page.text).toContain('OnBehalf');
    expect(page.text).toContain('Full control of private repositories');
    const after = await browser.submitAndFollow(page, { revoke: 'onbehalf-local' });
    expect(after.text).toContain('No application may act for you.');
    expect(world.stack.gitHub.grants.accessTokens()).toEqual([]);
    const asked = await world.ask(alice, 'later', 'List my repositories on GitHub');
    expect(asked.interrupts[0]?.reason).toBe('authorization_required');
  });

  it('shows what others have authorized to nobody, and takes no form of another site', async () => {
    await connectAlice(world);
    const page = await signedInAs('bob-octo');
    expect(page.text).toContain('No application may act for you.');
    const forged = await browser.request(settings(), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'revoke=onbehalf-local',
    });
    expect(forged.status).toBe(403);
    expect(world.stack.gitHub.grants.accessTokens()).toHaveLength(1);
  });

  it('has a page for each user, repository and issue that the API links to', async () => {
    const alice = await connectAlice(world);
    const listed = await world.ask(alice, 'more', 'List my repositories on GitHub');
    const [link = ''] =
      /http:\/\/127[^\s")\\]+tram-times/.exec(listed.text + JSON.stringify(listed.events)) ?? [];
    expect(link).toBe(`${world.stack.gitHub.url}/alice-octo/tram-times`);
    const repository = await browser.navigate(link);
    expect(repository.text).toContain('When the next tram leaves');
    expect(repository.text).toContain('This page stands for a repository at GitHub (local).');
    expect((await open('/alice-octo')).text).toContain('Maps and timetables');
    const [token] = world.stack.gitHub.grants.accessTokens();
    await fetch(`${world.stack.gitHub.apiBase}/repos/alice-octo/tram-times/issues`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token ?? ''}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: '<b>Lamp</b>', body: 'It is broken.' }),
    });
    const issue = await open('/alice-octo/tram-times/issues/1');
    expect(issue.text).toContain('&#60;b&#62;Lamp&#60;/b&#62; #1');
    expect(issue.text).toContain('It is broken.');
  });

  it('shows what is private to its owner alone', async () => {
    expect((await open('/alice-octo/garden-log')).status).toBe(404);
    await signedInAs('bob-octo');
    expect((await open('/alice-octo/garden-log')).status).toBe(404);
    await browser.submitAndFollow(await browser.navigate(settings()), { action: 'switch' });
    await signedInAs('alice-octo');
    expect((await open('/alice-octo/garden-log')).text).toContain('What grew, and when');
    for (const path of ['/nobody', '/alice-octo/nothing', '/alice-octo/tram-times/issues/9', '/..%2f'])
      expect((await open(path)).status).toBe(404);
  });
});
