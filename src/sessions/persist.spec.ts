import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../common/errors/index.js';
import { isUnavailable, pause, persist } from './persist.js';

const unavailable = new AppError('sessions_unavailable');

describe('a write that is tried again', () => {
  let tries: number[];
  let stop: AbortController;

  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
    tries = [];
    stop = new AbortController();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const failing =
    (times: number, error: Error = unavailable) =>
    (): Promise<void> => {
      tries.push(Date.now());
      return tries.length <= times ? Promise.reject(error) : Promise.resolve();
    };

  it('is tried after longer and longer pauses, until it is done', async () => {
    const done = persist(failing(6), stop.signal);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await done).toBe(true);
    expect(tries).toEqual([500, 1_500, 3_500, 8_500, 18_500, 28_500, 38_500]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is given up at another error', async () => {
    const other = new AppError('session_busy');
    const done = persist(failing(1, other), stop.signal);
    void done.catch(() => undefined);
    await jest.advanceTimersByTimeAsync(500);
    await expect(done).rejects.toBe(other);
  });

  it('is given up when it is told to, at once', async () => {
    const done = persist(failing(9), stop.signal);
    await jest.advanceTimersByTimeAsync(600);
    stop.abort();
    expect(await done).toBe(false);
    expect(tries).toEqual([500]);
  });

  it.each([
    [unavailable, true],
    [new AppError('session_busy'), false],
    [new Error('sessions_unavailable'), false],
  ])('is worth it for %s: %s', (error, expected) => {
    expect(isUnavailable(error)).toBe(expected);
  });
});

describe('a pause', () => {
  it('ends by itself, and leaves nothing behind', async () => {
    const { signal } = new AbortController();
    const startedAt = performance.now();
    await pause(20, signal);
    expect(performance.now() - startedAt).toBeGreaterThan(15);
  });
});
