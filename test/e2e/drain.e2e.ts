import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { startRole, type RoleProcess } from '../../local/lib/role-process.ts';
import { eventually, storedTurns, World } from '../support/world.ts';

/**
 * The deadline in seconds; a deployment has fifteen minutes. The load balancer waits longer: docs/operations.md, "Scaling".
 */
const DEADLINE_S = 2;
const MARGIN_MS = 1_500;

/**
 * ECS stops a task in this order: it gets no new request, open requests are cut after the delay, and then it gets SIGTERM.
 */
describe('a task that is stopped', () => {
  let world: World;
  let alice: HttpBrowser;
  let next: RoleProcess;

  beforeAll(async () => {
    world = await World.start({}, { environment: { RUN_DEADLINE_SECONDS: String(DEADLINE_S) } });
    next = await startRole('agent', { environment: world.stack.environment('agent') });
    alice = await world.signIn('alice@example.com');
  });
  afterAll(async () => {
    await next.stop();
    await world.close();
  });

  const register = (...tasks: readonly RoleProcess[]): void => {
    const sessionBinding = [world.roles.sessionBinding.url];
    world.stack.loadBalancer.register({
      agent: tasks.map(({ url }) => url),
      'session-binding': sessionBinding,
    });
  };
  /**
   * A stream in which the model stays silent. `read` resolves at its end with the text, and with CUT when the stream was cut.
   */
  const stream = async (sessionId: string): Promise<{ readonly read: Promise<string> }> => {
    const cookie = await alice.jar.getCookieString(world.url);
    const answer = await fetch(`${world.url}/invocations`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      body: JSON.stringify({ sessionId, message: 'hello' }),
    });
    let text = '';
    const decoder = new TextDecoder();
    const read = (async () => {
      try {
        for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
      } catch {
        return `${text}CUT`;
      }
      return text;
    })();
    return { read };
  };

  it('ends and saves its streams before the load balancer cuts them, and the user continues at another task', async () => {
    register(world.roles.agent);
    const hang = world.stack.bedrock.faults.plan(/./, { kind: 'hang' });
    const { read } = await stream('leaves');
    await eventually(() => hang.met === 1);
    const drained = world.stack.loadBalancer.drain(world.roles.agent.url, DEADLINE_S * 1000 + MARGIN_MS);
    const received = await read;
    expect(received).toContain('"code":"run_timeout"');
    expect(received).not.toContain('CUT');
    expect(await storedTurns(world.stack, 'leaves')).toEqual([expect.stringContaining('"text":"hello"')]);
    world.stack.bedrock.faults.clear();
    register(next);
    expect((await world.ask(alice, 'leaves', 'hello again')).last).toMatchObject({
      outcome: { type: 'success' },
    });
    await drained;
    await world.roles.agent.stop();
  }, 20_000);

  it('cuts its streams when the load balancer gives it less time than a run may take', async () => {
    register(next);
    const hang = world.stack.bedrock.faults.plan(/./, { kind: 'hang' });
    const { read } = await stream('cut');
    await eventually(() => hang.met === 1);
    await world.stack.loadBalancer.drain(next.url, 200);
    const received = await read;
    expect(received).toContain('RUN_STARTED');
    expect(received).toContain('CUT');
    expect(received).not.toContain('RUN_ERROR');
    await delay(100);
    world.stack.bedrock.faults.clear();
  }, 20_000);
});
