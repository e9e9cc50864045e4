import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRole, type RoleProcess } from '../../../local/lib/role-process.ts';
import { tokenOf } from '../../support/tokens.ts';
import { eventually, isClaimed, World } from '../../support/world.ts';

/** More of them measure the 99th percentile: ROUNDS=25 npm run test:e2e -- failures/crash */
const ROUNDS = Number(process.env.ROUNDS ?? 1);
const ROUND_MS = 60_000;
const TASKS = 5;
const TURNS_EACH = 8;
const USABLE_MS = 10_000;
/** Longer than it takes to give a dead task up. */
const OBSERVED_MS = 12_000;

interface View {
  readonly busy: boolean;
  readonly running?: { readonly message?: string };
  readonly turns: readonly {
    readonly outcome: string;
    readonly messages: readonly { readonly role: string; readonly text?: string }[];
  }[];
}

describe('when a task dies', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const start = (more: Readonly<Record<string, string>> = {}): Promise<RoleProcess> =>
    startRole('agent', { environment: { ...world.stack.environment('agent'), ...more } });
  const say = (task: RoleProcess, session: string, message: string): Promise<Response> =>
    fetch(`${task.url}/invocations`, {
      method: 'POST',
      headers: {
        'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub: session } }),
        'content-type': 'application/json',
      },
      body: JSON.stringify({ sessionId: session, message }),
    });
  const view = async (session: string): Promise<View> => {
    const headers = { 'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub: session } }) };
    const answer = await fetch(`${world.roles.agent.url}/sessions/${session}`, { headers });
    return (await answer.json()) as View;
  };
  /** Turns in which the model is silent, one for each user. */
  const begin = async (task: RoleProcess, sessions: readonly string[]): Promise<void> => {
    for (const session of sessions) void say(task, session, 'before').catch(() => undefined);
    for (const session of sessions) await eventually(() => isClaimed(world.stack, session), 15_000);
  };
  /** The time until a conversation takes a message again. */
  const usableAfter = async (session: string): Promise<number> => {
    const startedAt = Date.now();
    for (;;) {
      const answer = await say(world.roles.agent, session, 'after');
      const text = await answer.text();
      if (answer.status === 200 && text.includes('"success"')) return Date.now() - startedAt;
      if (answer.status !== 409) throw new Error(`${String(answer.status)} ${text}`);
      await delay(100);
    }
  };

  /** Kills tasks with turns in progress, and returns how long their conversations were not usable; milliseconds. */
  const killRound = async (round: number): Promise<readonly number[]> => {
    const hang = world.stack.bedrock.faults.plan(/./, { kind: 'hang' });
    const tasks = await Promise.all(Array.from({ length: TASKS }, () => start()));
    const sessions = tasks.map((_, task) =>
      Array.from(
        { length: TURNS_EACH },
        (__, turn) => `dies-${String(round)}-${String(task)}-${String(turn)}`,
      ),
    );
    await Promise.all(tasks.map((task, index) => begin(task, sessions[index] ?? [])));
    await eventually(() => hang.met === TASKS * TURNS_EACH);
    expect(await view(sessions[0]?.[0] ?? '')).toMatchObject({
      busy: true,
      running: { message: 'before' },
      turns: [],
    });
    world.stack.bedrock.faults.clear();
    const times = await Promise.all(
      tasks.map(async (task, index) => {
        // Each at another moment of its lease.
        await delay(index * 400);
        task.process.kill('SIGKILL');
        await task.exited;
        return Promise.all((sessions[index] ?? []).map(usableAfter));
      }),
    );
    for (const session of sessions.flat()) {
      const { turns, busy } = await view(session);
      expect(busy).toBe(false);
      expect(turns.map(({ outcome }) => outcome)).toEqual(['abandoned', 'success']);
      const told = turns.flatMap(({ messages }) => messages.filter(({ role }) => role === 'user'));
      expect(told.map(({ text }) => text)).toEqual(['before', 'after']);
    }
    return times.flat();
  };

  it(
    'its conversations are free again within ten seconds, and say what is known',
    async () => {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) times.push(...(await killRound(round)));
      times.sort((a, b) => a - b);
      const [median, p99] = [0.5, 0.99].map((part) => times[Math.floor(times.length * part)] ?? Infinity);
      process.stderr.write(
        `${String(times.length)} conversations: usable after ${String(median)} ms (median), ${String(p99)} ms (p99)\n`,
      );
      expect(p99).toBeLessThanOrEqual(USABLE_MS);
    },
    ROUNDS * ROUND_MS,
  );

  it.each([60_000, -60_000])(
    'no conversation is taken from one that is alive, with clocks %i ms apart',
    async (skew) => {
      const session = `alive-${String(skew)}`;
      const slow = world.stack.bedrock.faults.plan(/./, { kind: 'delay', ms: OBSERVED_MS + 3_000 }, 1);
      const task = await start({
        NODE_OPTIONS: '--import ./test/support/skewed-clock.mjs',
        CLOCK_SKEW_MS: String(skew),
      });
      const answer = say(task, session, 'slowly');
      await eventually(async () => slow.met === 1 && (await isClaimed(world.stack, session)));
      const until = Date.now() + OBSERVED_MS;
      while (Date.now() < until) {
        expect((await say(world.roles.agent, session, 'mine')).status).toBe(409);
        await delay(250);
      }
      expect(await (await answer).text()).toContain('"outcome":{"type":"success"}');
      expect((await view(session)).turns.map(({ outcome }) => outcome)).toEqual(['success']);
      await task.stop();
    },
    60_000,
  );
});
