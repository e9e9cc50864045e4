import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../../common/errors/index.js';
import type { RunEvent } from './run-event.js';
import { RunLog } from './run-log.js';
import { RunningRun, type RunReader } from './running-run.js';

const NAME = { sub: 'alice', sessionId: 'one', runId: 'run' };
const LIMITS = { deadlineMs: 60_000, graceMs: 5_000 };
const NO_USAGE = { inputTokens: 0, outputTokens: 0 };

async function* answer(): AsyncGenerator<RunEvent, void, undefined> {
  await Promise.resolve();
  yield { kind: 'started' };
}

describe('a run of this task', () => {
  let run: RunningRun;

  beforeEach(() => {
    jest.useFakeTimers();
    run = new RunningRun(NAME, 'digest', LIMITS);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const reader = (onDisconnect: RunReader['onDisconnect'] = 'continue'): (() => void) => {
    const gone = new AbortController();
    run.addReader({ gone: gone.signal, onDisconnect });
    return () => {
      gone.abort();
    };
  };

  it('is named by its user, conversation and id', () => {
    expect(run.isNamed({ ...NAME })).toBe(true);
    for (const other of [{ sub: 'bob' }, { sessionId: 'two' }, { runId: 'other' }])
      expect(run.isNamed({ ...NAME, ...other })).toBe(false);
  });

  it('is aborted at its deadline, and not when it has ended before', async () => {
    jest.advanceTimersByTime(59_999);
    expect(run.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(run.signal.reason).toMatchObject({ code: 'run_timeout' });
    run = new RunningRun(NAME, 'digest', LIMITS);
    run.end(NO_USAGE);
    await run.ended;
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    [1_000, '1 second'],
    [90_000, '90 seconds'],
    [60_000, '1 minute'],
    [900_000, '15 minutes'],
  ])('says after how long it was ended: %d ms', (deadlineMs, words) => {
    run = new RunningRun(NAME, 'digest', { ...LIMITS, deadlineMs });
    jest.advanceTimersByTime(deadlineMs);
    const { detail } = run.signal.reason as AppError;
    expect(detail).toContain(` after ${words},`);
  });

  it('says at its end what it has taken of the model, and nothing where it could not begin', async () => {
    run.end({ inputTokens: 2, outputTokens: 1 });
    expect(await run.ended).toEqual({ inputTokens: 2, outputTokens: 1 });
    run = new RunningRun(NAME, 'digest', LIMITS);
    run.fail(new Error('no claim'));
    expect(await run.ended).toBeUndefined();
  });

  it('goes on for its time of grace when its last reader has gone, and is then cancelled', () => {
    const [first, second] = [reader(), reader()];
    first();
    jest.advanceTimersByTime(10_000);
    second();
    jest.advanceTimersByTime(4_999);
    expect(run.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(run.signal.aborted).toBe(true);
    expect(run.signal.reason).not.toBeInstanceOf(AppError);
  });

  it('goes on when a reader comes back in time', () => {
    reader()();
    jest.advanceTimersByTime(4_000);
    reader();
    jest.advanceTimersByTime(10_000);
    expect(run.signal.aborted).toBe(false);
  });

  it('is cancelled at once where its last reader says so, or where there is no grace', () => {
    const [stays, leaves] = [reader(), reader('cancel')];
    leaves();
    expect(run.signal.aborted).toBe(false);
    reader('cancel')();
    stays();
    jest.advanceTimersByTime(4_999);
    expect(run.signal.aborted).toBe(false);
    run = new RunningRun(NAME, 'digest', LIMITS);
    reader('cancel')();
    expect(run.signal.aborted).toBe(true);
    run = new RunningRun(NAME, 'digest', { ...LIMITS, graceMs: 0 });
    reader()();
    expect(run.signal.aborted).toBe(true);
  });

  it('counts a reader that has gone already', () => {
    run.addReader({ gone: AbortSignal.abort(), onDisconnect: 'cancel' });
    expect(run.signal.aborted).toBe(true);
  });

  it('keeps nothing of a reader when it has ended', async () => {
    const leave = reader();
    run.end(NO_USAGE);
    await run.ended;
    await Promise.resolve();
    leave();
    expect(jest.getTimerCount()).toBe(0);
    expect(run.signal.aborted).toBe(false);
  });

  it('has its events from its beginning on', async () => {
    const log = new RunLog(answer());
    run.begin(log);
    expect(await run.log).toBe(log);
  });

  it('says why it could not begin', async () => {
    const failure = new AppError('session_busy');
    run.fail(failure);
    await expect(run.log).rejects.toBe(failure);
    await run.ended;
    expect(jest.getTimerCount()).toBe(0);
  });
});
