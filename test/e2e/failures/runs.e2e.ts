import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startRole, type RoleProcess } from '../../../local/lib/role-process.ts';
import { Random } from '../../support/random.ts';
import { tokenOf } from '../../support/tokens.ts';
import { eventually, isClaimed, storedTurns, World } from '../../support/world.ts';

const RUNS = 25;
const DISCONNECTS = 500;
const WORDS = 160;
const WORD_DELAY_MS = 30;
const GRACE_S = 3;

/** An event as its bytes, and its number. */
interface Received {
  readonly id: number;
  readonly block: string;
}

describe('a run', () => {
  let world: World;
  let other: RoleProcess;

  beforeAll(async () => {
    const environment = { RUN_GRACE_SECONDS: String(GRACE_S) };
    world = await World.start({ wordDelayMs: WORD_DELAY_MS }, { environment });
    other = await startRole('agent', { environment: world.stack.environment('agent') });
  });
  afterAll(async () => {
    await other.stop();
    await world.close();
  });
  afterEach(() => {
    world.stack.bedrock.faults.clear();
  });

  const headersOf = (sub: string): Record<string, string> => ({
    'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub } }),
    'content-type': 'application/json',
  });
  const begin = (
    session: string,
    {
      task = world.roles.agent,
      key = 'run-1',
      message = 'hello',
      more = {},
      signal,
    }: {
      readonly task?: RoleProcess;
      readonly key?: string;
      readonly message?: string;
      readonly more?: Readonly<Record<string, string>>;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<Response> =>
    fetch(`${task.url}/invocations`, {
      method: 'POST',
      headers: { ...headersOf(session), 'idempotency-key': key, ...more },
      body: JSON.stringify({ sessionId: session, message }),
      ...(signal !== undefined && { signal }),
    });
  const follow = async (
    task: RoleProcess,
    session: string,
    after: number,
    signal?: AbortSignal,
  ): Promise<Response> => {
    const ask = (): Promise<Response> =>
      fetch(`${task.url}/runs/run-1/events?sessionId=${session}`, {
        headers: { ...headersOf(session), ...(after > 0 && { 'last-event-id': String(after) }) },
        ...(signal !== undefined && { signal }),
      });
    const answer = await ask();
    // A machine that stood still for the five seconds of a request's head has not seen it (RFC 9110, section 15.5.9).
    return answer.status === 408 ? ask() : answer;
  };
  const stop = (task: RoleProcess, session: string): Promise<Response> =>
    fetch(`${task.url}/runs/run-1/stop?sessionId=${session}`, {
      method: 'POST',
      headers: headersOf(session),
    });
  /** Reads events until there are enough of them, or the stream ends. */
  const read = async (answer: Response, enough = Infinity): Promise<readonly Received[]> => {
    let text = '';
    const events = (): readonly Received[] =>
      text
        .split('\n\n')
        .slice(0, -1)
        .flatMap((block) => {
          const id = /^id: (\d+)$/m.exec(block)?.[1];
          return id === undefined ? [] : [{ id: Number(id), block }];
        });
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (events().length >= enough) break;
    }
    return events();
  };
  const isLast = ({ block }: Received): boolean => /"type":"RUN_(FINISHED|ERROR)"/.test(block);
  const talkative = (): void => {
    const words = Array.from({ length: WORDS }, (_, index) => `word-${String(index)}`).join(' ');
    world.stack.bedrock.model = () => ({ text: words, toolUses: [] });
  };

  it(`is the same bytes for a client that loses its connection: ${String(DISCONNECTS)} times, at two tasks`, async () => {
    talkative();
    const random = new Random(11);
    let disconnects = 0;
    const play = async (session: string): Promise<void> => {
      const seen: Received[] = [];
      const leaving = new AbortController();
      const first = await read(await begin(session, { signal: leaving.signal }), random.below(10) + 1);
      leaving.abort();
      disconnects += 1;
      seen.push(...first);
      while (!seen.some(isLast)) {
        const task = random.below(2) === 0 ? world.roles.agent : other;
        const gone = new AbortController();
        const answer = await follow(task, session, seen.length, gone.signal);
        expect(answer.status).toBe(200);
        seen.push(...(await read(answer, random.below(12) + 1)));
        gone.abort();
        disconnects += 1;
      }
      while (disconnects < (DISCONNECTS / RUNS) * Number(session.slice(5)))
        disconnects += await again(session);
      const whole = await read(await follow(other, session, 0));
      expect(seen.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
      expect(seen.map(({ block }) => block)).toEqual(whole.map(({ block }) => block));
      expect(whole.at(-1)?.block).toContain('"type":"success"');
    };
    /** After its end, it is read again from a random event, and left. */
    const again = async (session: string): Promise<number> => {
      const gone = new AbortController();
      const answer = await follow(other, session, random.below(WORDS), gone.signal);
      await read(answer, random.below(20) + 1);
      gone.abort();
      return 1;
    };
    const sessions = Array.from({ length: RUNS }, (_, index) => `lost-${String(index + 1)}`);
    for (let at = 0; at < RUNS; at += 9) await Promise.all(sessions.slice(at, at + 9).map(play));
    expect(disconnects).toBeGreaterThanOrEqual(DISCONNECTS);
  }, 120_000);

  it('is named once: the same id again is the same run, at both tasks, while it goes on and after it', async () => {
    talkative();
    const first = begin('named');
    await eventually(() => isClaimed(world.stack, 'named'));
    const answers = await Promise.all([first, begin('named'), begin('named', { task: other })]);
    const [one, two, three] = await Promise.all(answers.map((answer) => answer.text()));
    expect(two).toBe(one);
    expect(three).toBe(one);
    expect(await (await begin('named')).text()).toBe(one);
    expect(await storedTurns(world.stack, 'named')).toHaveLength(1);
    const another = await begin('named', { message: 'something else' });
    expect(another.status).toBe(409);
    expect(((await another.json()) as { code: string }).code).toBe('run_id_used');
    await (await begin('named', { key: 'run-2' })).text();
    expect((await begin('named')).status).toBe(409);
    expect((await follow(other, 'named', 0)).status).toBe(404);
  }, 30_000);

  it.each([
    ['its own task', (): RoleProcess => world.roles.agent],
    ['another task', (): RoleProcess => other],
  ])('is stopped at %s', async (_name, at) => {
    const session = `stopped-${String(at() === other)}`;
    world.stack.bedrock.faults.plan(/./, { kind: 'hang' });
    const answer = await begin(session);
    const startedAt = Date.now();
    expect((await stop(at(), session)).status).toBe(204);
    expect(await answer.text()).toContain('"type":"cancelled"');
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    expect((await storedTurns(world.stack, session))[0]).toContain('"outcome":"cancelled"');
    expect((await stop(at(), session)).status).toBe(204);
  });

  it.each([
    ['goes on for a while without its client', {}, GRACE_S * 1_000],
    ['ends with its client where that says so', { 'x-on-disconnect': 'cancel' }, 0],
  ])('%s', async (name, more, atLeastMs) => {
    const session = name.startsWith('goes') ? 'goes-on' : 'ends';
    world.stack.bedrock.faults.plan(/./, { kind: 'hang' });
    const leaving = new AbortController();
    await begin(session, { more, signal: leaving.signal });
    const leftAt = Date.now();
    leaving.abort();
    await eventually(async () => (await storedTurns(world.stack, session)).length === 1, 10_000);
    expect((await storedTurns(world.stack, session))[0]).toContain('"outcome":"cancelled"');
    expect(Date.now() - leftAt).toBeGreaterThanOrEqual(atLeastMs - 50);
    expect(Date.now() - leftAt).toBeLessThan(atLeastMs + 1_500);
  });

  it('ends at another task, after what was published, when its own task has died', async () => {
    talkative();
    const task = await startRole('agent', { environment: world.stack.environment('agent') });
    void begin('dies', { task })
      .then((answer) => answer.text())
      .catch(() => undefined);
    await eventually(() => isClaimed(world.stack, 'dies'));
    const following = follow(other, 'dies', 0).then((answer) => read(answer));
    await delay(3_000);
    task.process.kill('SIGKILL');
    const seen = await following;
    expect(seen.at(-1)?.block).toContain('"code":"run_lost"');
    expect(seen.length).toBeGreaterThan(3);
    const whole = await read(await follow(world.roles.agent, 'dies', 0));
    expect(whole).toEqual(seen);
  }, 30_000);

  it("is not found where it is another user's, or where there is none", async () => {
    talkative();
    await (await begin('mine')).text();
    const headers = headersOf('somebody-else');
    const url = `${other.url}/runs/run-1/events?sessionId=mine`;
    expect((await fetch(url, { headers })).status).toBe(404);
    expect((await fetch(url.replace('events', 'stop'), { method: 'POST', headers })).status).toBe(404);
    expect((await fetch(url.replace('run-1', 'run-9'), { headers: headersOf('mine') })).status).toBe(404);
  });
});
