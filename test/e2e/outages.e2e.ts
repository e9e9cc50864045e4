import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { connectAlice } from '../support/connected-user.ts';
import { connectUrlOf, eventually, isClaimed, World } from '../support/world.ts';

describe('when a dependency is stopped', () => {
  let world: World;
  let alice: HttpBrowser;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.reset();
    alice = await connectAlice(world, 'Who am I on GitHub?');
  });

  const stopped = { kind: 'reset' } as const;
  const healthy = async (): Promise<void> => {
    for (const role of [world.roles.agent, world.roles.sessionBinding]) {
      expect(role.process.exitCode).toBeNull();
      expect((await fetch(`${role.url}/ping`)).status).toBe(200);
    }
    const again = await world.ask(alice, 'after', 'Who am I on GitHub?');
    expect(again.text).toContain('alice-octo');
  };

  it('GitHub: the user gets a typed tool error', async () => {
    world.stack.gitHub.faults.plan(/./, stopped);
    const answer = await world.ask(alice, 'github', 'Who am I on GitHub?');
    expect(answer.results).toMatchObject([{ error: { code: 'provider_unavailable' } }]);
    expect(answer.last).toMatchObject({ type: 'RUN_FINISHED', outcome: { type: 'success' } });
    world.stack.gitHub.faults.clear();
    await healthy();
  });

  it('AgentCore Identity: the user gets a typed tool error and an error page', async () => {
    const paused = await world.ask(alice, 'identity', 'List my repositories');
    const back = await world.consentUpToBinding(alice, connectUrlOf(paused), 'alice-octo');
    world.stack.agentCoreIdentity.faults.plan(/^POST/, stopped);
    const answer = await world.ask(alice, 'identity-2', 'Who am I on GitHub?');
    expect(answer.results).toMatchObject([{ error: { code: 'identity_unavailable' } }]);
    const page = await alice.navigate(back);
    expect(page.status).toBe(503);
    expect(page.text).toContain('Authorization service unavailable');
    world.stack.agentCoreIdentity.faults.clear();
    await healthy();
  });

  it('Bedrock: the run fails with a typed event, and the message is saved', async () => {
    world.stack.bedrock.faults.plan(/./, stopped);
    const answer = await world.ask(alice, 'bedrock', 'Who am I on GitHub?');
    expect(answer.last).toMatchObject({ type: 'RUN_ERROR', code: 'model_unavailable' });
    world.stack.bedrock.faults.clear();
    const read = await alice.request(`${world.url}/sessions/bedrock`);
    expect(read.text).toContain('Who am I on GitHub?');
    await healthy();
    const next = await world.ask(alice, 'bedrock', 'Who am I on GitHub?');
    expect(next.text).toContain('alice-octo');
  });

  it.each([
    ['ThrottlingException', 429, 'model_throttled'],
    ['AccessDeniedException', 403, 'model_misconfigured'],
    ['ResourceNotFoundException', 404, 'model_misconfigured'],
  ])('Bedrock answers %s: the run ends with its own error code', async (name, status, code) => {
    const headers = { 'x-amzn-errortype': name };
    world.stack.bedrock.faults.plan(/./, {
      kind: 'answer',
      status,
      headers,
      body: '{"message":"SECRET"}',
    });
    const answer = await world.ask(alice, name, 'hello');
    expect(answer.last).toMatchObject({ type: 'RUN_ERROR', code });
    expect(answer.raw).not.toContain('SECRET');
    world.stack.bedrock.faults.clear();
    await healthy();
  });

  it('S3: a problem document, before the model is called', async () => {
    world.stack.s3.faults.plan(/./, stopped);
    const asked = world.stack.bedrock.requests.length;
    const answer = await world.ask(alice, 's3', 'hello');
    expect(answer.status).toBe(503);
    expect(answer.raw).toContain('sessions_unavailable');
    expect((await alice.request(`${world.url}/sessions`)).status).toBe(503);
    expect(world.stack.bedrock.requests).toHaveLength(asked);
    world.stack.s3.faults.clear();
    await healthy();
  });

  it('S3 fails while the model answers: the run ends with a typed event', async () => {
    const silent = world.stack.bedrock.faults.plan(/./, { kind: 'delay', ms: 500 }, 1);
    const asked = world.ask(alice, 's3-late', 'hello');
    await eventually(async () => silent.met === 1 && (await isClaimed(world.stack, 's3-late')));
    world.stack.s3.faults.plan(/PUT .*working-set/, stopped);
    const answer = await asked;
    expect(answer.last).toMatchObject({ type: 'RUN_ERROR', code: 'sessions_unavailable' });
    world.stack.s3.faults.clear();
    await healthy();
  });

  it('refuses a second turn at the same time immediately', async () => {
    world.stack.bedrock.faults.plan(/./, { kind: 'delay', ms: 600 }, 1);
    const running = world.ask(alice, 'busy', 'hello');
    await eventually(() => isClaimed(world.stack, 'busy'));
    const startedAt = Date.now();
    const second = await world.ask(alice, 'busy', 'me too');
    expect(second.status).toBe(409);
    expect(second.raw).toContain('session_busy');
    expect(Date.now() - startedAt).toBeLessThan(500);
    expect((await running).last).toMatchObject({ outcome: { type: 'success' } });
  });

  it('logs one JSON object per line, without messages and tokens', () => {
    const lines = [world.roles.agent, world.roles.sessionBinding].flatMap((role) =>
      role.output().trim().split('\n'),
    );
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('stream');
    const all = lines.join('\n');
    const secrets = ['Who am I', 'gho_', 'alice-octo', 'SECRET', ...world.stack.gitHub.grants.accessTokens()];
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  });
});
