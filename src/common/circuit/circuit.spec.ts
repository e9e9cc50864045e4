import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { runInContext } from '../context/index.js';
import { DeadlineError } from '../deadline/index.js';
import { recordedLog, type LoggedLine } from '../logging/testing/recorded-log.js';
import { Circuit, CircuitOpenError } from './index.js';

const withStatus = (httpStatusCode?: number): Error =>
  Object.assign(new Error(), { $metadata: httpStatusCode === undefined ? {} : { httpStatusCode } });
const withCode = (code: string): Error => Object.assign(new Error(), { code });
const timeout = Object.assign(new Error(), { name: 'TimeoutError' });

describe('Circuit', () => {
  let log: readonly LoggedLine[];
  let circuit: Circuit;

  beforeEach(() => {
    jest.useFakeTimers();
    log = recordedLog();
    circuit = new Circuit('s3');
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const call = <T>(user: string, work: () => Promise<T>, caller?: AbortSignal): Promise<T> =>
    runInContext({ requestId: 'request', user }, () => circuit.call(caller, work));
  const fail = async (times: number, error: Error = new DeadlineError(), users = ['alice', 'bob']) => {
    for (let n = 0; n < times; n += 1) {
      const user = users[n % users.length] ?? '';
      await expect(call(user, () => Promise.reject(error))).rejects.toBe(error);
    }
  };
  const answer = (): Promise<string> => call('carol', () => Promise.resolve('answer'));
  const events = (): readonly unknown[] => log.map(({ fields }) => fields);

  it.each([
    ['a call that met its deadline', new DeadlineError()],
    ["an answer that met the SDK's time limit", timeout],
    ['a connection that was refused', withCode('ECONNREFUSED')],
    ['a connection that the HTTP client lost', withCode('UND_ERR_SOCKET')],
    ['a status of 500', withStatus(500)],
    ['a status of 503', withStatus(503)],
    ['a cause like these', new Error('wrapped', { cause: new Error('twice', { cause: withStatus(502) }) })],
    ['an error of the SDK without an answer', Object.assign(withStatus(), { code: 'ECONNRESET' })],
  ])('opens after five failures in a row: %s', async (_name, error) => {
    await fail(5, error);
    const work = jest.fn(() => Promise.resolve('answer'));
    await expect(call('carol', work)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(work).not.toHaveBeenCalled();
    expect(events()).toEqual([{ event: 'circuit_opened', dependency: 's3' }]);
  });

  it.each([
    ['a status of 400', withStatus(400)],
    ['a status of 429', withStatus(429)],
    ['an answer that has no meaning', new SyntaxError('garbage')],
    ['a fault of our own', withCode('ERR_INVALID_ARG_TYPE')],
  ])('stays closed: %s', async (_name, error) => {
    await fail(9, error);
    expect(await answer()).toBe('answer');
    expect(events()).toEqual([]);
  });

  it('stays closed after four failures', async () => {
    await fail(4);
    expect(await answer()).toBe('answer');
  });

  it.each([
    ['a result', () => answer()],
    ['a status of 404', () => fail(1, withStatus(404))],
  ])('begins to count anew after %s', async (_name, between) => {
    await fail(4);
    await between();
    await fail(4);
    expect(await answer()).toBe('answer');
  });

  it('counts on after an error that says nothing of the dependency', async () => {
    await fail(4);
    await fail(1, new SyntaxError('garbage'));
    await fail(1);
    await expect(answer()).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('stays closed while one user alone meets the failures', async () => {
    await fail(9, new DeadlineError(), ['alice']);
    expect(await answer()).toBe('answer');
    await fail(9, new DeadlineError(), ['alice']);
    await fail(1, new DeadlineError(), ['bob']);
    await expect(answer()).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('does not count a call whose caller has left', async () => {
    const error = new DeadlineError();
    for (let n = 0; n < 9; n += 1) {
      const left = call(`user-${String(n)}`, () => Promise.reject(error), AbortSignal.abort());
      await expect(left).rejects.toBe(error);
    }
    expect(await answer()).toBe('answer');
  });

  it('makes one call a second while it is open', async () => {
    await fail(5);
    await jest.advanceTimersByTimeAsync(999);
    await expect(answer()).rejects.toBeInstanceOf(CircuitOpenError);
    await jest.advanceTimersByTimeAsync(1);
    void call('alice', () => Promise.race([]));
    await expect(answer()).rejects.toBeInstanceOf(CircuitOpenError);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await answer()).toBe('answer');
  });

  it('stays open while these fail, and says that only once', async () => {
    await fail(5);
    for (let n = 0; n < 3; n += 1) {
      await jest.advanceTimersByTimeAsync(1_000);
      await fail(1);
      await expect(answer()).rejects.toBeInstanceOf(CircuitOpenError);
    }
    expect(events()).toHaveLength(1);
  });

  it('closes at the first answer', async () => {
    await fail(5);
    await jest.advanceTimersByTimeAsync(1_500);
    await fail(1, withStatus(404));
    await fail(4);
    expect(await answer()).toBe('answer');
    expect(events()).toEqual([
      { event: 'circuit_opened', dependency: 's3' },
      { event: 'circuit_closed', dependency: 's3', openMs: 1_500 },
    ]);
  });
});
