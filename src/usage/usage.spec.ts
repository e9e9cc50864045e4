import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../common/errors/index.js';
import { recordedLog, type LoggedLine } from '../common/logging/testing/recorded-log.js';
import type { LimitsConfig } from '../config/index.js';
import { TaskLease } from '../sessions/index.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { StoredUsage } from './stored-usage.js';
import { Usage } from './usage.js';

const NOON = Date.parse('2026-03-31T12:00:00Z');
const NO_LIMITS = { runsPerUser: 10, requestsPerDay: undefined, tokensPerDay: undefined };
const ALICE = 'users/YWxpY2U/usage';
const UNAVAILABLE = new AppError('sessions_unavailable');

interface Task {
  readonly usage: Usage;
  readonly lease: TaskLease;
  /** Where it writes the figures of Alice. */
  readonly key: string;
}

describe('the usage of users', () => {
  let store: MemoryStore;
  let log: readonly LoggedLine[];
  let writes: string[];

  beforeEach(() => {
    jest.useFakeTimers({ now: NOON });
    log = recordedLog();
    writes = [];
    store = new MemoryStore();
    store.afterPut = (key) => key.startsWith('users/') && writes.push(key);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
  const taskWith = async (limits: Partial<LimitsConfig> = {}): Promise<Task> => {
    const lease = new TaskLease(store);
    lease.onApplicationBootstrap();
    await pass(0);
    const usage = new Usage(new StoredUsage(store, lease), { ...NO_LIMITS, ...limits });
    return { usage, lease, key: `${ALICE}/2026-03-31/${lease.task}.json` };
  };
  const stored = ({ key }: Task): unknown => JSON.parse(store.objects.get(key)?.text ?? 'null');
  const run = ({ usage }: Task, [inputTokens, outputTokens] = [0, 0], sub = 'alice'): void => {
    usage.begin(sub).end({ inputTokens, outputTokens });
  };
  const refusal = ({ usage }: Task, sub = 'alice'): AppError | undefined => {
    try {
      usage.begin(sub).end(undefined);
      return undefined;
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  };

  describe('at one task', () => {
    it('is limited to a number of runs at once, each user for themselves', async () => {
      const task = await taskWith({ runsPerUser: 2 });
      const [first] = [task.usage.begin('alice'), task.usage.begin('alice')];
      expect(refusal(task)).toMatchObject({
        code: 'too_many_runs',
        detail: 'You have 2 runs in progress, and 2 are allowed. Wait until one has ended, then try again.',
        retryAfter: 5,
      });
      expect(refusal(task, 'bob')).toBeUndefined();
      first.end({ inputTokens: 1, outputTokens: 1 });
      expect(refusal(task)).toBeUndefined();
    });

    it('is limited to a number of requests a day', async () => {
      const task = await taskWith({ requestsPerDay: 2 });
      run(task);
      run(task);
      expect(refusal(task)).toMatchObject({
        code: 'daily_limit_reached',
        reason: 'requests',
        detail: 'You have begun 2 runs today, and 2 are allowed. The day ends at 2026-04-01 00:00 UTC.',
        retryAfter: 12 * 3_600,
      });
      await pass(11 * 3_600_000 + 1);
      expect(refusal(task)).toMatchObject({ retryAfter: 3_600 });
    });

    it('is limited to a number of tokens a day, read and written', async () => {
      const task = await taskWith({ tokensPerDay: 100 });
      run(task, [60, 39]);
      expect(refusal(task)).toBeUndefined();
      run(task, [1, 0]);
      expect(refusal(task)).toMatchObject({
        code: 'daily_limit_reached',
        reason: 'tokens',
        detail:
          'Your runs have taken 100 tokens of the language model today, and 100 are allowed. The day ends at 2026-04-01 00:00 UTC.',
      });
    });

    it('counts tokens apart from a run, and tells whether some are left', async () => {
      const task = await taskWith({ tokensPerDay: 100 });
      task.usage.spend('alice', { inputTokens: 60, outputTokens: 39 });
      expect(task.usage.hasTokens('alice')).toBe(true);
      task.usage.spend('alice', { inputTokens: 0, outputTokens: 1 });
      expect(task.usage.hasTokens('alice')).toBe(false);
      expect(task.usage.hasTokens('bob')).toBe(true);
      expect(refusal(task)).toMatchObject({ reason: 'tokens' });
      await pass(2_000);
      expect(stored(task)).toMatchObject({ requests: 0, inputTokens: 60, outputTokens: 40, running: 0 });
    });

    it('has no limit that is not configured', async () => {
      const task = await taskWith();
      for (let n = 0; n < 1_000; n += 1) run(task, [1_000_000, 1_000_000]);
      expect(refusal(task)).toBeUndefined();
      expect(task.usage.hasTokens('alice')).toBe(true);
    });

    it('does not count a run that could not begin', async () => {
      const task = await taskWith({ requestsPerDay: 1 });
      for (let n = 0; n < 3; n += 1) task.usage.begin('alice').end(undefined);
      expect((await task.usage.read('alice')).used).toEqual({
        requests: 0,
        inputTokens: 0,
        outputTokens: 0,
        running: 0,
      });
    });

    it('begins anew with each day in UTC, but for the runs in progress', async () => {
      const task = await taskWith({ requestsPerDay: 2 });
      const running = task.usage.begin('alice');
      run(task, [5, 5]);
      await pass(12 * 3_600_000);
      expect(await task.usage.read('alice')).toEqual({
        day: '2026-04-01',
        used: { requests: 0, inputTokens: 0, outputTokens: 0, running: 1 },
      });
      running.end({ inputTokens: 2, outputTokens: 1 });
      expect((await task.usage.read('alice')).used).toEqual({
        requests: 0,
        inputTokens: 2,
        outputTokens: 1,
        running: 0,
      });
    });

    it('does not wait for the store', async () => {
      const task = await taskWith();
      jest.spyOn(store, 'put').mockReturnValue(Promise.race([]));
      jest.spyOn(store, 'list').mockReturnValue(Promise.race([]));
      expect(refusal(task)).toBeUndefined();
    });
  });

  describe('in the store', () => {
    it('is one object for each user, day and task', async () => {
      const task = await taskWith();
      run(task, [7, 5]);
      task.usage.begin('alice');
      await pass(0);
      expect(stored(task)).toEqual({
        version: 1,
        requests: 2,
        inputTokens: 7,
        outputTokens: 5,
        running: 1,
      });
    });

    it('is written every two seconds at most, and only when it has changed', async () => {
      const task = await taskWith();
      for (let n = 0; n < 100; n += 1) {
        run(task);
        await pass(100);
      }
      expect(writes).toHaveLength(6);
      await pass(2_000);
      expect(stored(task)).toMatchObject({ requests: 100 });
      const before = writes.length;
      await pass(60_000);
      expect(writes).toHaveLength(before);
    });

    it('is written when the process ends', async () => {
      const task = await taskWith();
      run(task);
      await pass(0);
      run(task, [3, 4]);
      await task.usage.flush();
      expect(stored(task)).toMatchObject({ requests: 2, inputTokens: 3 });
    });

    it('is written again when the store has failed, and read again', async () => {
      const task = await taskWith({ requestsPerDay: 2 });
      const other = await taskWith();
      run(other);
      run(other);
      await pass(0);
      store.beforePut = (key) => {
        if (key === task.key) throw UNAVAILABLE;
      };
      run(task);
      await pass(0);
      expect(log).toMatchObject([
        { level: 'warn', fields: { event: 'usage_not_exchanged', error: 'AppError' } },
      ]);
      store.beforePut = () => undefined;
      await pass(9_999);
      expect(stored(task)).toBeNull();
      await pass(1);
      expect(stored(task)).toMatchObject({ requests: 1 });
      expect(refusal(task)).toMatchObject({ code: 'daily_limit_reached' });
    });

    it('is not read again where the first read fails', async () => {
      const task = await taskWith();
      jest.spyOn(store, 'list').mockRejectedValue(UNAVAILABLE);
      await expect(task.usage.read('alice')).rejects.toBe(UNAVAILABLE);
    });

    it('is deleted when its day is before yesterday', async () => {
      const task = await taskWith();
      run(task);
      await pass(35 * 3_600_000);
      run(task);
      await pass(0);
      const days = (): readonly string[] =>
        [...store.objects.keys()]
          .filter((key) => key.startsWith(ALICE))
          .map((key) => key.slice(ALICE.length + 1, -42));
      expect(days()).toEqual(['2026-03-31', '2026-04-01']);
      await pass(24 * 3_600_000);
      run(task);
      await pass(0);
      expect(days()).toEqual(['2026-04-01', '2026-04-02']);
    });
  });

  describe('at several tasks', () => {
    it('counts together, once a task has read what the others have written', async () => {
      const [one, two] = [await taskWith({ requestsPerDay: 3 }), await taskWith({ requestsPerDay: 3 })];
      for (let n = 0; n < 3; n += 1) run(one);
      await pass(2_000);
      expect(refusal(two)).toBeUndefined();
      await pass(0);
      expect(refusal(two)).toMatchObject({ code: 'daily_limit_reached' });
    });

    it('asks for the newest figures also when it refuses', async () => {
      const [one, two] = [await taskWith({ runsPerUser: 1 }), await taskWith({ runsPerUser: 1 })];
      const running = one.usage.begin('alice');
      await pass(0);
      run(two);
      await pass(2_000);
      expect(refusal(two)).toMatchObject({ code: 'too_many_runs' });
      running.end({ inputTokens: 0, outputTokens: 0 });
      expect(refusal(two)).toMatchObject({ code: 'too_many_runs' });
      await pass(4_000);
      expect(refusal(two)).toBeUndefined();
    });

    it('leaves out the runs of a task that has died, and keeps what they have taken', async () => {
      const [one, two] = [await taskWith(), await taskWith()];
      run(one, [7, 5]);
      one.usage.begin('alice');
      await pass(2_000);
      const used = { requests: 2, inputTokens: 7, outputTokens: 5 };
      expect((await two.usage.read('alice')).used).toEqual({ ...used, running: 1 });
      one.lease.onApplicationShutdown();
      await pass(7_000);
      expect((await two.usage.read('alice')).used).toEqual({ ...used, running: 0 });
    });

    it('leaves out what cannot be read, and what is of another user', async () => {
      const task = await taskWith();
      await store.put(`${ALICE}/2026-03-31/damaged.json`, '{', { always: true });
      await store.put(`${ALICE}/2026-03-31/newer.json`, '{"version":2}', { always: true });
      run(task, [1, 1], 'bob');
      run(task, [2, 3]);
      expect(await task.usage.read('alice')).toEqual({
        day: '2026-03-31',
        used: { requests: 1, inputTokens: 2, outputTokens: 3, running: 0 },
      });
    });
  });
});
