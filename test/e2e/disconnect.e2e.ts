import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke, type Invocation } from '../../local/lib/invoke.ts';
import { connectAlice } from '../support/connected-user.ts';
import { connectUrlOf, World } from '../support/world.ts';

const WHO = 'Who am I on GitHub?';

interface Disconnected {
  readonly grant: string;
  readonly revocation?: { readonly url: string; readonly ticket: string };
}

/** A user ends an authorization: here at once, and at the provider with a proof. */
describe('a user who disconnects GitHub', () => {
  let world: World;
  let alice: HttpBrowser;
  let token: string;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.reset();
    alice = await connectAlice(world);
    [token = ''] = world.stack.gitHub.grants.accessTokens();
  });

  const disconnect = async (browser = alice): Promise<Disconnected> => {
    const answer = await browser.request(`${world.url}/connections/github`, { method: 'DELETE' });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain(token);
    return JSON.parse(answer.text) as Disconnected;
  };
  const sendOn = (ticket: string, browser = alice): Promise<Answer> =>
    browser.request(`${world.url}/oauth2/revocation`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: world.url },
      body: new URLSearchParams({ ticket }).toString(),
    });
  const json = async <T>(path: string): Promise<T> =>
    JSON.parse((await alice.request(world.url + path)).text) as T;
  const receipts = async (): Promise<readonly object[]> =>
    (await json<{ readonly receipts: readonly object[] }>('/receipts')).receipts;
  const profileOf = async (accessToken: string): Promise<number> => {
    const { apiBase } = world.stack.gitHub;
    return (await fetch(`${apiBase}/user`, { headers: { authorization: `Bearer ${accessToken}` } })).status;
  };

  it('ends the grant at GitHub, sees that the old token is refused, and has a receipt of each step', async () => {
    expect(await profileOf(token)).toBe(200);
    const { grant, revocation } = await disconnect();
    expect(grant).toBe('to_revoke');
    expect(revocation?.url).toBe(`${world.url}/oauth2/revocation`);
    const answer = await sendOn(revocation?.ticket ?? '');
    expect(JSON.parse(answer.text)).toEqual({ provider: 'github', outcome: 'proven', receipt: true });
    expect(await profileOf(token)).toBe(401);
    expect(await receipts()).toMatchObject([
      { kind: 'revoked', provider: 'github', account: 'alice-octo', outcome: 'proven' },
      { kind: 'disconnected', provider: 'github', account: 'alice-octo' },
      { kind: 'connected', provider: 'github', scopes: ['repo'], sessionId: 'consent' },
    ]);
    // The vault still has the dead token, so a second time there is still something to prove.
    const again = await disconnect();
    const proof = await sendOn(again.revocation?.ticket ?? '');
    expect(JSON.parse(proof.text)).toMatchObject({ outcome: 'proven' });
  });

  it('has no tool use the token any more, even where it still works, until a new consent', async () => {
    await disconnect();
    expect(await profileOf(token)).toBe(200);
    const { seenTokens } = world.stack.gitHub.api;
    const before = seenTokens.length;
    const paused = await world.ask(alice, 'after', WHO);
    expect(paused.interrupts[0]?.reason).toBe('authorization_required');
    const [again] = (await world.resume(alice, 'after', ['interrupt-1'])).interrupts;
    expect(again?.reason).toBe('authorization_required');
    expect(seenTokens).toHaveLength(before);
    const last = await world.resume(alice, 'after', [again?.id ?? '']);
    await world.consent(alice, connectUrlOf(last), 'alice-octo');
    const done = await world.resume(alice, 'after', [last.interrupts[0]?.id ?? '']);
    expect(done.raw).toContain('alice-octo');
    const { connections } = await json<{ readonly connections: readonly object[] }>('/connections');
    expect(connections).toMatchObject([{ account: { login: 'alice-octo' } }]);
    expect(connections[0]).not.toHaveProperty('disconnectedAt');
  });

  it('opens by a new consent what was consented to, and nothing else', async () => {
    const { seenTokens } = world.stack.gitHub.api;
    const used = seenTokens.length;
    await disconnect();
    const paused = await world.ask(alice, 'narrow', WHO);
    await world.consent(alice, connectUrlOf(paused), 'alice-octo');
    await world.resume(alice, 'narrow', [paused.interrupts[0]?.id ?? '']);
    const before = seenTokens.length;
    const wider = await world.ask(alice, 'wider', 'List my repositories on GitHub');
    expect(wider.interrupts[0]?.reason).toBe('authorization_required');
    expect(seenTokens).toHaveLength(before);
    await world.consent(alice, connectUrlOf(wider), 'alice-octo');
    const done = await world.resume(alice, 'wider', [wider.interrupts[0]?.id ?? '']);
    expect(done.last).toMatchObject({ outcome: { type: 'success' } });
    expect(seenTokens.slice(used)).not.toContain(token);
  });

  it('is the only one who can send the ticket on', async () => {
    const { revocation } = await disconnect();
    const bob = await world.signIn('bob@example.com');
    const refused = await sendOn(revocation?.ticket ?? '', bob);
    expect(refused.status).toBe(403);
    expect(await profileOf(token)).toBe(200);
    const other = await disconnect(bob);
    expect(other.grant).toBe('none');
  });

  it('is told where GitHub does not end it', async () => {
    const { revocation } = await disconnect();
    world.stack.gitHub.faults.plan(/^DELETE /, { kind: 'answer', status: 500 });
    const answer = await sendOn(revocation?.ticket ?? '');
    expect(JSON.parse(answer.text)).toMatchObject({ outcome: 'still_valid' });
    expect((await receipts())[0]).toMatchObject({ kind: 'revoked', outcome: 'still_valid' });
  });

  describe('and what the user allows', () => {
    const input = { owner: 'alice-octo', repo: 'tram-times', title: 'First' };
    const issue = (title: string, repo = 'tram-times'): void => {
      const toolUses = [{ name: 'create_github_issue', input: { ...input, repo, title } }];
      world.stack.bedrock.model = ({ messages }) =>
        messages.at(-1)?.content.some(({ text }) => text !== undefined) === true
          ? { text: '', toolUses }
          : { text: 'Done.', toolUses: [] };
    };
    const approve = ({ interrupts }: Invocation, payload: object): Promise<Invocation> =>
      invoke(alice, world.url, {
        sessionId: 'issues',
        resume: interrupts.map(({ id }) => ({
          interruptId: id,
          status: 'resolved',
          payload: { approved: true, ...payload },
        })),
      });

    it('needs one approval in a conversation, with these inputs, until it is withdrawn', async () => {
      issue('First');
      const paused = await world.ask(alice, 'issues', 'Open an issue');
      expect(paused.interrupts[0]?.metadata).toMatchObject({
        allowable: { owner: 'alice-octo', repo: 'tram-times' },
      });
      await approve(paused, { allow: 'conversation' });
      issue('Second');
      expect((await world.ask(alice, 'issues', 'Another one')).last).toMatchObject({
        outcome: { type: 'success' },
      });
      issue('Third', 'map-tiles');
      const elsewhere = await world.ask(alice, 'issues', 'One more');
      expect(elsewhere.interrupts[0]?.reason).toBe('approval_required');
      const { connections } = await json<{
        readonly connections: readonly [{ readonly rules: readonly [{ readonly id: string }] }];
      }>('/connections');
      const url = `${world.url}/connections/github/rules/${connections[0].rules[0].id}`;
      expect((await alice.request(url, { method: 'DELETE' })).status).toBe(204);
      issue('Fourth');
      expect((await world.ask(alice, 'issues', 'And again')).interrupts[0]?.reason).toBe('approval_required');
      const done = (await receipts()).filter((each) => Reflect.get(each, 'kind') === 'wrote');
      expect(done).toMatchObject([
        { byRule: true, url: expect.stringMatching(/\/issues\/2$/) as unknown },
        { byRule: false, url: expect.stringMatching(/\/issues\/1$/) as unknown },
      ]);
    });

    it('is sent as the user has written it', async () => {
      issue('First');
      const paused = await world.ask(alice, 'issues', 'Open an issue');
      const wrong = await approve(paused, { input: { ...input, title: '' } });
      expect(wrong.interrupts[0]?.reason).toBe('approval_required');
      expect(wrong.raw).toContain('Your change was not taken.');
      const done = await approve(wrong, { input: { ...input, title: 'By hand' } });
      expect(done.results).toMatchObject([{ data: { title: 'By hand' }, sent: { title: 'By hand' } }]);
    });
  });
});
