import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke } from '../../local/lib/invoke.ts';
import { connectAlice } from '../support/connected-user.ts';
import { connectUrlOf, World } from '../support/world.ts';

describe('the authorization-code flow', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
  beforeEach(() => world.reset());

  it('pauses for consent, resumes with only the pending call, and needs no second consent', async () => {
    const alice = await world.signIn('alice@example.com');
    const paused = await world.ask(alice, 'once', 'Who am I on GitHub?');
    expect(paused.last).toMatchObject({ type: 'RUN_FINISHED', outcome: { type: 'interrupt' } });
    expect(paused.interrupts).toHaveLength(1);
    expect(paused.interrupts[0]).toMatchObject({
      id: 'interrupt-1',
      reason: 'authorization_required',
      metadata: { provider: 'github', scopes: ['read:user'], tool: 'get_github_user' },
    });
    expect(Date.parse(paused.interrupts[0]?.expiresAt ?? '')).toBeGreaterThan(Date.now() + 9 * 60_000);

    const done = await world.consent(alice, connectUrlOf(paused), 'alice-octo');
    expect(done.status).toBe(200);
    expect(done.text).toContain('GitHub is connected');

    const callsBefore = world.stack.bedrock.requests.length;
    const resumed = await world.resume(alice, 'once', ['interrupt-1']);
    expect(resumed.last).toMatchObject({ outcome: { type: 'success' } });
    expect(resumed.text).toContain('alice-octo');
    expect(world.stack.bedrock.requests).toHaveLength(callsBefore + 1);

    const again = await world.ask(alice, 'twice', 'Show my GitHub profile');
    expect(again.last).toMatchObject({ outcome: { type: 'success' } });
    expect(again.text).toContain('alice-octo');
  });

  it('asks for each scope separately, and resumes several interrupts at once', async () => {
    const bob = await world.signIn('bob@example.com');
    const paused = await world.ask(bob, 'both', 'Who am I, and which are my 2 repositories?');
    expect(paused.interrupts.map(({ metadata }) => metadata.scopes)).toEqual([['read:user'], ['repo']]);
    for (const index of [0, 1]) {
      const done = await world.consent(bob, connectUrlOf(paused, index), 'bob-octo');
      expect(done.text).toContain('GitHub is connected');
    }
    const half = await world.resume(bob, 'both', ['interrupt-1']);
    expect(half.status).toBe(409);
    const resumed = await world.resume(bob, 'both', ['interrupt-1', 'interrupt-2']);
    expect(resumed.results).toMatchObject([
      { data: { login: 'bob-octo' } },
      { data: { repositories: [{}, {}] } },
    ]);
  });

  it('asks again when the user resumes without having consented', async () => {
    const carol = await world.signIn('carol@example.com');
    await world.ask(carol, 'early', 'Who am I on GitHub?');
    const early = await world.resume(carol, 'early', ['interrupt-1']);
    expect(early.interrupts[0]).toMatchObject({ id: 'interrupt-2', reason: 'authorization_required' });
    await world.consent(carol, connectUrlOf(early), 'alice-octo');
    const resumed = await world.resume(carol, 'early', ['interrupt-2']);
    expect(resumed.text).toContain('alice-octo');
  });

  it('closes the interrupt when the user declines or sends another message', async () => {
    const carol = await world.signIn('carol@example.com');
    await world.ask(carol, 'no', 'List my repositories');
    const declined = await invoke(carol, world.url, {
      sessionId: 'no',
      resume: [{ interruptId: 'interrupt-1', status: 'cancelled' }],
    });
    expect(declined.last).toMatchObject({ outcome: { type: 'success' } });
    expect(declined.results).toMatchObject([{ error: { code: 'consent_declined' } }]);

    await world.ask(carol, 'no', 'List my repositories');
    const typed = await world.ask(carol, 'no', 'Thanks, never mind');
    expect(typed.last).toMatchObject({ outcome: { type: 'success' } });
    expect(typed.events.map(({ type }) => type)).not.toContain('TOOL_CALL_START');
    const late = await world.resume(carol, 'no', ['interrupt-2']);
    expect(late.status).toBe(409);
    expect(late.raw).toContain('interrupt_not_pending');
    const after = await world.ask(carol, 'no', 'hello');
    expect(after.last).toMatchObject({ outcome: { type: 'success' } });
  });

  it('accepts a resume only once', async () => {
    const carol = await world.signIn('carol@example.com');
    const paused = await world.ask(carol, 'double', 'Who am I?');
    await world.consent(carol, connectUrlOf(paused), 'alice-octo');
    const seen = world.stack.gitHub.api.seenTokens.length;
    const both = await Promise.all([
      world.resume(carol, 'double', ['interrupt-1']),
      world.resume(carol, 'double', ['interrupt-1']),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const third = await world.resume(carol, 'double', ['interrupt-1']);
    expect(third.status).toBe(409);
    // Two requests use the token: the check of the account, and the tool's own call.
    expect(world.stack.gitHub.api.seenTokens).toHaveLength(seen + 2);
  });

  it('asks for a new consent once when the provider has revoked the token', async () => {
    const alice = await world.signIn('alice@example.com');
    const first = await world.ask(alice, 'revoked', 'Who am I?');
    await world.consent(alice, connectUrlOf(first), 'alice-octo');
    world.stack.gitHub.grants.revokeUser('alice-octo');
    const refused = await world.resume(alice, 'revoked', ['interrupt-1']);
    expect(refused.interrupts[0]).toMatchObject({ id: 'interrupt-2', reason: 'authorization_required' });
    await world.consent(alice, connectUrlOf(refused), 'alice-octo');
    const resumed = await world.resume(alice, 'revoked', ['interrupt-2']);
    expect(resumed.text).toContain('alice-octo');

    world.stack.gitHub.grants.revokeUser('alice-octo');
    const again = await world.ask(alice, 'revoked', 'Who am I?');
    const stubborn = await world.resume(alice, 'revoked', [again.interrupts[0]?.id ?? '']);
    expect(stubborn.interrupts).toEqual([]);
    expect(stubborn.raw).toContain('provider_rejected');
  });

  it('lets AgentCore Identity refresh an expiring token', async () => {
    const bob = await world.signIn('bob@example.com');
    world.stack.gitHub.grants.tokenLifetimeMs = 8 * 3_600_000;
    const paused = await world.ask(bob, 'refresh', 'Who am I?');
    await world.consent(bob, connectUrlOf(paused), 'bob-octo');
    world.stack.gitHub.grants.tokenLifetimeMs = undefined;
    world.advance(9 * 3_600_000);
    const resumed = await world.resume(bob, 'refresh', ['interrupt-1']);
    expect(resumed.text).toContain('bob-octo');
    expect(world.stack.gitHub.grants.exchanges.at(-1)).toEqual({ grantType: 'refresh_token', pkce: false });
  });

  it('reports the waiting time when GitHub limits the rate', async () => {
    const alice = await connectAlice(world, 'Who am I on GitHub?');
    world.stack.gitHub.api.limit('alice-octo', 77);
    const limited = await world.ask(alice, 'limit', 'Who am I?');
    expect(limited.results).toMatchObject([
      { error: { code: 'provider_rate_limited', message: expect.stringContaining('77 seconds') } },
    ]);
  });

  it('shows conversations only to their user, and deletes them permanently', async () => {
    const [alice, bob] = [await world.signIn('alice@example.com'), await world.signIn('bob@example.com')];
    await world.ask(alice, 'mine', 'hello');
    const list = JSON.parse((await alice.request(`${world.url}/sessions`)).text) as {
      sessions: { sessionId: string; title: string }[];
    };
    expect(list.sessions[0]).toMatchObject({ sessionId: 'mine', title: 'hello' });
    const read = JSON.parse((await alice.request(`${world.url}/sessions/mine`)).text) as {
      turns: { messages: { role: string; text: string }[] }[];
    };
    expect(read.turns[0]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);

    const [foreign, unknown] = [
      await bob.request(`${world.url}/sessions/mine`),
      await bob.request(`${world.url}/sessions/none`),
    ];
    expect(foreign.status).toBe(404);
    const without = (text: string): string => text.replace(/"requestId":"[^"]+"/, '');
    expect(without(foreign.text)).toBe(without(unknown.text));
    expect((await bob.request(`${world.url}/sessions/mine`, { method: 'DELETE' })).status).toBe(404);

    expect((await alice.request(`${world.url}/sessions/mine`, { method: 'DELETE' })).status).toBe(204);
    expect((await alice.request(`${world.url}/sessions/mine`)).status).toBe(404);
    const objects = world.stack.s3.store.all().filter(({ key }) => key.includes('/mine'));
    expect(objects).toEqual([]);
  });

  it('restores the conversation on the next turn', async () => {
    const alice = await world.signIn('alice@example.com');
    await world.ask(alice, 'memory', 'hello');
    await world.ask(alice, 'memory', 'thanks');
    const sent = world.stack.bedrock.requests.at(-1)?.messages ?? [];
    expect(sent.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(sent[0]?.content[0]?.text).toBe('hello');
  });

  it('refuses a request without a sign-in', async () => {
    const nobody = new HttpBrowser();
    expect((await nobody.request(`${world.url}/sessions`)).status).toBe(401);
    expect((await nobody.request(`${world.url}/invocations`, { method: 'POST' })).status).toBe(401);
    expect((await nobody.request(`${world.url}/docs`)).status).toBe(302);
  });
});
