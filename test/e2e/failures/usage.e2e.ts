import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startRole, type RoleProcess } from '../../../local/lib/role-process.ts';
import { tokenOf } from '../../support/tokens.ts';
import { eventually, isClaimed, World } from '../../support/world.ts';

const RUNS_PER_USER = 3;
const REQUESTS_PER_DAY = 5;
const TOKENS_PER_DAY = 1_000_000;
/** The figures of a task are written within two seconds, and read by the next request but one. */
const LAG_MS = 4_000;
const DEAD_AFTER_MS = 10_000;

interface Told {
  readonly status: number;
  readonly retryAfter: number;
  readonly text: string;
  readonly code?: string;
  readonly detail?: string;
}

interface Read {
  readonly day: string;
  readonly used: Readonly<Record<'requests' | 'inputTokens' | 'outputTokens' | 'running', number>>;
}

describe('the limits of a user, across two tasks', () => {
  let world: World;
  let one: RoleProcess;
  let two: RoleProcess;
  let number = 0;
  let user: string;

  const tasks: RoleProcess[] = [];
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<RoleProcess> => {
    const task = await startRole('agent', { environment: { ...world.stack.environment('agent'), ...more } });
    tasks.push(task);
    return task;
  };

  beforeAll(async () => {
    const environment = {
      RUNS_PER_USER: String(RUNS_PER_USER),
      REQUESTS_PER_DAY: String(REQUESTS_PER_DAY),
      TOKENS_PER_DAY: String(TOKENS_PER_DAY),
    };
    world = await World.start({}, { environment });
    one = world.roles.agent;
    two = await start();
  });
  afterAll(async () => {
    await Promise.all(tasks.map((task) => task.stop()));
    await world.close();
  });
  beforeEach(async () => {
    await world.reset();
    number += 1;
    user = `user-${String(number)}`;
  });

  const headers = () => ({ 'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub: user } }) });
  const send = (task: RoleProcess, sessionId: string, signal: AbortSignal | null = null): Promise<Response> =>
    fetch(`${task.url}/invocations`, {
      method: 'POST',
      headers: { ...headers(), 'content-type': 'application/json', 'x-on-disconnect': 'cancel' },
      body: JSON.stringify({ sessionId, message: 'hello' }),
      signal,
    });
  const told = async (answer: Response): Promise<Told> => {
    const text = await answer.text();
    const problem = answer.ok ? {} : (JSON.parse(text) as object);
    const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
    return { status: answer.status, retryAfter, text, ...problem };
  };
  const say = async (task: RoleProcess, sessionId: string): Promise<Told> =>
    told(await send(task, sessionId));
  const usage = async (task: RoleProcess): Promise<Read> =>
    (await (await fetch(`${task.url}/usage`, { headers: headers() })).json()) as Read;

  it('are told, with what is used, by every task', async () => {
    const before = await usage(two);
    expect(before).toEqual({
      day: new Date().toISOString().slice(0, 10),
      endsAt: expect.stringMatching(/T00:00:00.000Z$/) as unknown,
      used: { requests: 0, inputTokens: 0, outputTokens: 0, running: 0 },
      limits: { running: RUNS_PER_USER, requests: REQUESTS_PER_DAY, tokens: TOKENS_PER_DAY },
    });
    expect((await say(one, 'a')).status).toBe(200);
    expect((await say(one, 'a')).status).toBe(200);
    await eventually(async () => (await usage(two)).used.requests === 2, LAG_MS);
    await eventually(async () => (await usage(two)).used.running === 0, LAG_MS);
    const { inputTokens, outputTokens } = (await usage(two)).used;
    expect(inputTokens).toBe(2);
    expect(outputTokens).toBeGreaterThan(0);
  });

  it('hold for requests: at another task one more is taken, and then none', async () => {
    for (let n = 0; n < REQUESTS_PER_DAY; n += 1) expect((await say(one, `r${String(n)}`)).status).toBe(200);
    const refused = await say(one, 'more');
    expect(refused).toMatchObject({ status: 429, code: 'daily_limit_reached' });
    expect(refused.detail).toContain('You have begun 5 runs today, and 5 are allowed.');
    const untilMidnight =
      (Date.parse(`${new Date().toISOString().slice(0, 10)}T24:00:00Z`) - Date.now()) / 1000;
    expect(Math.abs(refused.retryAfter - untilMidnight)).toBeLessThan(60);
    await eventually(async () => (await usage(two)).used.requests === REQUESTS_PER_DAY, LAG_MS);
    const taken = await Promise.all(['x', 'y', 'z'].map((id) => say(two, id)));
    expect(taken.map(({ status }) => status)).toEqual([429, 429, 429]);
  });

  it('hold for requests also where the other task knows nothing: it takes one, and then none', async () => {
    for (let n = 0; n < REQUESTS_PER_DAY; n += 1) expect((await say(one, `s${String(n)}`)).status).toBe(200);
    await eventually(() => written(user) === REQUESTS_PER_DAY, LAG_MS);
    expect((await say(two, 'first')).status).toBe(200);
    expect(await say(two, 'second')).toMatchObject({ status: 429, code: 'daily_limit_reached' });
  });

  it('hold for tokens', async () => {
    const task = await start({ TOKENS_PER_DAY: '2' });
    expect((await say(task, 't')).status).toBe(200);
    const { inputTokens, outputTokens } = (await usage(task)).used;
    expect(await say(task, 't')).toMatchObject({
      status: 429,
      code: 'daily_limit_reached',
      detail: expect.stringContaining(
        `taken ${String(inputTokens + outputTokens)} tokens of the language model today, and 2 are allowed.`,
      ) as unknown,
    });
  });

  it('hold for runs at once, until a run ends; those of a task that has died do not count', async () => {
    world.stack.bedrock.faults.plan(/./, { kind: 'hang' });
    const dying = await start();
    const leaving = new AbortController();
    void send(one, 'one', leaving.signal).catch(() => undefined);
    for (const id of ['two', 'three']) void send(dying, id).catch(() => undefined);
    for (const id of ['one', 'two', 'three']) await eventually(() => isClaimed(world.stack, id));
    await eventually(async () => (await usage(two)).used.running === RUNS_PER_USER, LAG_MS);
    const refused = await say(two, 'more');
    expect(refused).toMatchObject({ status: 429, code: 'too_many_runs', retryAfter: 5 });
    expect(refused.detail).toContain('You have 3 runs in progress, and 3 are allowed.');
    leaving.abort();
    await eventually(async () => (await usage(two)).used.running === RUNS_PER_USER - 1, LAG_MS);
    dying.process.kill('SIGKILL');
    await eventually(async () => (await usage(two)).used.running === 0, DEAD_AFTER_MS);
    world.stack.bedrock.faults.clear();
    expect((await say(two, 'more')).status).toBe(200);
  });

  it('are kept when a task ends in order', async () => {
    const ending = await start();
    for (const id of ['e', 'f']) expect((await say(ending, id)).status).toBe(200);
    await ending.stop();
    expect((await usage(two)).used).toMatchObject({ requests: 2, running: 0 });
  });

  it('do not hold up a turn whose figures cannot be stored or read', async () => {
    const hanging = world.stack.s3.faults.plan(/usage/, { kind: 'hang' });
    const startedAt = performance.now();
    expect((await say(one, 'hung')).text).toContain('"outcome":{"type":"success"}');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(hanging.met).toBeGreaterThan(0);
  });

  /** The requests that the store knows of. */
  const written = (sub: string): number => {
    const prefix = `users/${Buffer.from(sub).toString('base64url')}/usage/`;
    const stored = world.stack.s3.store.all().filter(({ key }) => key.startsWith(prefix));
    const figures = stored.map(({ body }) => JSON.parse(body.toString()) as Read['used']);
    return figures.reduce((total, { requests }) => total + requests, 0);
  };
});
