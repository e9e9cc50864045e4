import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpBrowser } from '../../../local/lib/http-browser.ts';
import type { Fault } from '../../../local/lib/faults.ts';
import { startRole, type RoleName, type RoleProcess } from '../../../local/lib/role-process.ts';
import { connectAlice } from '../../support/connected-user.ts';
import { tokenOf } from '../../support/tokens.ts';
import { connectUrlOf, eventually, World } from '../../support/world.ts';

const STREAMS = 100;
const WHO = 'Who am I on GitHub?';
/** A task that nothing holds up ends within this time. */
const AT_ONCE_MS = 2_500;
/** Docker and ECS end a task by force after 30 s. */
const LATEST_MS = 25_000;
const SLOW = { kind: 'delay', ms: 2_000 } as const;
const HANG: Fault = { kind: 'hang' };

describe('SIGTERM', () => {
  let world: World;
  let alice: HttpBrowser;
  let tasks: Readonly<Record<RoleName, RoleProcess>>;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.reset();
    const task = (role: RoleName): Promise<RoleProcess> =>
      startRole(role, { environment: world.stack.environment(role) });
    const [agent, sessionBinding] = await Promise.all([task('agent'), task('session-binding')]);
    tasks = { agent, 'session-binding': sessionBinding };
    world.stack.loadBalancer.register({ agent: [agent.url], 'session-binding': [sessionBinding.url] });
    alice = await connectAlice(world, WHO);
  });
  afterEach(async () => {
    for (const { faults } of [world.stack.bedrock, world.stack.gitHub, world.stack.s3]) faults.clear();
    await Promise.all(Object.values(tasks).map((task) => task.stop()));
  });

  /** Sends the signal. Resolves with the milliseconds that the process took to end. */
  const terminate = async ({ process, exited }: RoleProcess): Promise<number> => {
    const startedAt = performance.now();
    process.kill('SIGTERM');
    expect(await exited).toBe(0);
    return performance.now() - startedAt;
  };
  const isReady = async ({ url }: RoleProcess): Promise<boolean> => (await fetch(`${url}/ready`)).ok;
  const headersOf = (sub: string): Readonly<Record<string, string>> => ({
    'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub } }),
    'content-type': 'application/json',
  });
  /** Sends a message as a user of its own, and reads the answer to its end. */
  const stream = async (number: number): Promise<string> => {
    const answer = await fetch(`${tasks.agent.url}/invocations`, {
      method: 'POST',
      headers: headersOf(`user-${String(number)}`),
      body: JSON.stringify({ sessionId: 'one', message: 'hello' }),
    });
    return answer.text();
  };
  const streams = (): readonly Promise<string>[] => Array.from({ length: STREAMS }, (_, at) => stream(at));
  const lastOf = (text: string): unknown =>
    JSON.parse(/^data: (.*)$/m.exec(text.trim().split('\n\n').at(-1) ?? '')?.[1] ?? '');
  const savedTurns = (): number =>
    world.stack.s3.store
      .all()
      .filter(({ key, body }) => key.endsWith('/one/working-set.json') && !body.includes('"claim"')).length;

  it.each<RoleName>(['agent', 'session-binding'])(
    'ends the role %s at once where nothing is in flight, however often its health is asked for',
    async (role) => {
      const { url, process } = tasks[role];
      const asking = setInterval(() => {
        for (const path of ['/ping', '/ready']) fetch(url + path).catch(() => undefined);
      }, 5);
      expect(await terminate(tasks[role])).toBeLessThan(AT_ONCE_MS);
      clearInterval(asking);
      expect(process.signalCode).toBeNull();
    },
  );

  it('ends session binding after the callback in flight', async () => {
    const paused = await world.ask(alice, 'repositories', 'List my repositories on GitHub');
    const back = await world.consentUpToBinding(alice, connectUrlOf(paused), 'alice-octo');
    const held = world.stack.agentCoreIdentity.faults.plan(/CompleteResourceTokenAuth/, SLOW, 1);
    const task = tasks['session-binding'];
    const page = alice.navigate(back);
    await eventually(() => held.met === 1);
    const ended = terminate(task);
    await eventually(async () => !(await isReady(task)), 1_000);
    // The page that follows the callback is another task's.
    world.stack.loadBalancer.register({
      agent: [tasks.agent.url],
      'session-binding': [world.roles.sessionBinding.url],
    });
    expect((await page).text).toContain('GitHub is connected');
    expect(await ended).toBeLessThan(SLOW.ms + AT_ONCE_MS);
  });

  it('ends the agent role after the request in flight, and answers others meanwhile', async () => {
    const held = world.stack.s3.faults.plan(/GET .*list-type/, SLOW, 1);
    const list = alice.request(`${world.url}/sessions`);
    await eventually(() => held.met === 1);
    const ended = terminate(tasks.agent);
    await eventually(async () => !(await isReady(tasks.agent)), 1_000);
    expect((await alice.request(`${world.url}/sessions/consent`)).status).toBe(200);
    expect((await world.ask(alice, 'late', WHO)).raw).toContain('"code":"shutting_down"');
    expect((await list).text).toContain('"consent"');
    expect(await ended).toBeLessThan(SLOW.ms + AT_ONCE_MS);
  });

  it.each<[string, Fault | undefined, number]>([
    ['answers', undefined, AT_ONCE_MS],
    ['is slow', SLOW, SLOW.ms + AT_ONCE_MS],
    ['does not answer', HANG, LATEST_MS],
  ])(
    'ends a hundred streams with a silent model, each by its event, while the store %s',
    async (_name, fault, limitMs) => {
      const silent = world.stack.bedrock.faults.plan(/converse-stream/, HANG);
      const answers = streams();
      await eventually(() => silent.met === STREAMS, 20_000);
      if (fault !== undefined) world.stack.s3.faults.plan(/PUT .*working-set/, fault);
      const ended = terminate(tasks.agent);
      const last = (await Promise.all(answers)).map(lastOf);
      const code = fault === HANG ? 'sessions_unavailable' : 'shutting_down';
      for (const event of last) expect(event).toMatchObject({ type: 'RUN_ERROR', code });
      expect(savedTurns()).toBe(fault === HANG ? 0 : STREAMS);
      expect(await ended).toBeLessThan(limitMs);
    },
    60_000,
  );

  it('ends a stream whose tool hangs', async () => {
    const stuck = world.stack.gitHub.faults.plan(/GET \/api\//, HANG);
    const answer = world.ask(alice, 'stuck', WHO);
    await eventually(() => stuck.met === 1);
    const ended = terminate(tasks.agent);
    expect((await answer).last).toMatchObject({ type: 'RUN_ERROR', code: 'shutting_down' });
    expect(await ended).toBeLessThan(AT_ONCE_MS);
  });
});
