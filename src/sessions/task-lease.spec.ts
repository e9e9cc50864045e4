import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../common/errors/index.js';
import { recordedLog, type LoggedLine } from '../common/logging/testing/recorded-log.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { TaskLease } from './task-lease.js';

describe('the lease of a task', () => {
  let store: MemoryStore;
  let lease: TaskLease;
  let writes: string[];
  let log: readonly LoggedLine[];

  beforeEach(() => {
    jest.useFakeTimers();
    log = recordedLog();
    writes = [];
    store = new MemoryStore();
    store.afterPut = (key) => writes.push(key);
    lease = new TaskLease(store);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const other = (): TaskLease => new TaskLease(store);
  const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  it('is written at the start, and every two seconds until the end', async () => {
    lease.onApplicationBootstrap();
    await pass(0);
    expect(writes).toEqual([`tasks/${lease.task}.json`]);
    await pass(1_999);
    expect(writes).toHaveLength(1);
    await pass(8_001);
    expect(writes).toHaveLength(6);
    lease.onApplicationShutdown();
    await pass(60_000);
    expect(writes).toHaveLength(6);
  });

  it('shows that its task is alive, and no longer than seven seconds', async () => {
    expect(await other().isAlive(lease.task)).toBe(false);
    await lease.fresh();
    await pass(6_999);
    expect(await other().isAlive(lease.task)).toBe(true);
    await pass(1);
    expect(await other().isAlive(lease.task)).toBe(false);
  });

  it('is written before a claim where it is not fresh', async () => {
    await lease.fresh();
    await pass(4_000);
    await lease.fresh();
    expect(writes).toHaveLength(1);
    await pass(1);
    await Promise.all([lease.fresh(), lease.fresh()]);
    expect(writes).toHaveLength(2);
  });

  it('lets no claim be written where it cannot be', async () => {
    const failure = new AppError('sessions_unavailable');
    store.beforePut = () => {
      throw failure;
    };
    await expect(lease.fresh()).rejects.toBe(failure);
    store.beforePut = () => undefined;
    await expect(lease.fresh()).resolves.toBeUndefined();
  });

  it('is tried again after a renewal that failed, which is logged', async () => {
    store.beforePut = () => {
      throw new AppError('sessions_unavailable');
    };
    lease.onApplicationBootstrap();
    await pass(2_000);
    expect(log).toMatchObject([
      { level: 'warn', context: 'TaskLease', fields: { event: 'lease_not_renewed', error: 'AppError' } },
      { level: 'warn', fields: { event: 'lease_not_renewed' } },
    ]);
    store.beforePut = () => undefined;
    await pass(2_000);
    expect(writes).toHaveLength(1);
  });

  it('has another name in every process', () => {
    expect(other().task).not.toBe(lease.task);
  });
});
