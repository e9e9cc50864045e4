import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DeadlineError, untilAborted, withDeadline } from './deadline.js';

const never = (): Promise<never> => Promise.race([]);

describe('untilAborted', () => {
  it('gives the result of the work, and what it throws', async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(signal, () => Promise.resolve('done'))).resolves.toBe('done');
    await expect(untilAborted(signal, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  });

  it('waits no longer than until the signal aborts', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(controller.signal, never);
    const reason = new Error('the user left');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('begins nothing under a signal that has aborted', async () => {
    const work = jest.fn(never);
    await expect(untilAborted(AbortSignal.abort(new Error('before')), work)).rejects.toThrow('before');
    expect(work).not.toHaveBeenCalled();
  });

  it('throws an error when the signal has no error as its reason', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(controller.signal, never);
    controller.abort('a text');
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('stops listening to the signal', async () => {
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, 'removeEventListener');
    await untilAborted(signal, () => Promise.resolve());
    expect(removed).toHaveBeenCalledTimes(1);
  });
});

describe('withDeadline', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('gives the result of work that ends in time, and keeps no timer', async () => {
    await expect(withDeadline(100, undefined, () => Promise.resolve('done'))).resolves.toBe('done');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('aborts the work at the deadline, and does not wait for it', async () => {
    let given: AbortSignal | undefined;
    const waiting = withDeadline(100, undefined, (signal) => {
      given = signal;
      return never();
    });
    jest.advanceTimersByTime(99);
    expect(given?.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(given?.aborted).toBe(true);
    await expect(waiting).rejects.toBeInstanceOf(DeadlineError);
  });

  it('aborts the work when the caller does', async () => {
    const caller = new AbortController();
    let given: AbortSignal | undefined;
    const waiting = withDeadline(100, caller.signal, (signal) => {
      given = signal;
      return never();
    });
    const reason = new Error('the run is over');
    caller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(given?.reason).toBe(reason);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('begins nothing for a caller that has aborted', async () => {
    const work = jest.fn(never);
    await expect(withDeadline(100, AbortSignal.abort(new Error('before')), work)).rejects.toThrow('before');
    expect(work).not.toHaveBeenCalled();
  });

  it('stops listening to the caller', async () => {
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, 'removeEventListener');
    await withDeadline(100, signal, () => Promise.resolve());
    expect(removed).toHaveBeenCalledTimes(1);
  });
});
