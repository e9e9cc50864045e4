import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AgentIdentityConfig } from '../../config/index.js';
import type { User } from '../sign-in/index.js';
import { WorkloadTokenRejectedError, type TokenVault } from './token-vault.js';
import { WorkloadTokens } from './workload-tokens.js';

const config = { workloadIdentityName: 'workload' } as AgentIdentityConfig;
const alice: User = { sub: 'alice' };

describe('WorkloadTokens', () => {
  let issued: (readonly [string, User | undefined])[];
  let tokens: WorkloadTokens;

  beforeEach(() => {
    // The caches captured this object when they were loaded, so the test replaces its method; sockets still use Node's own time.
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
    jest.spyOn(performance, 'now').mockImplementation(() => Date.now());
    issued = [];
    const workloadAccessToken = (workload: string, user: User | undefined): Promise<string> => {
      issued.push([workload, user]);
      return Promise.resolve(`token-${String(issued.length)}`);
    };
    tokens = new WorkloadTokens({ workloadAccessToken } as TokenVault, config);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  const tokenOf = (user: User | undefined): Promise<string> =>
    tokens.use(user, (token) => Promise.resolve(token));

  it('fetches for the user, in the name of the workload', async () => {
    expect(await tokenOf(alice)).toBe('token-1');
    expect(issued).toEqual([['workload', alice]]);
  });

  it('lets a caller go that has ended, and others go on waiting', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const vault = { workloadAccessToken: () => promise } as unknown as TokenVault;
    tokens = new WorkloadTokens(vault, config);
    const leaving = new AbortController();
    const work = jest.fn((token: string) => Promise.resolve(token));
    const ended = tokens.use(alice, work, leaving.signal);
    const waiting = tokens.use(alice, work, new AbortController().signal);
    leaving.abort();
    await expect(ended).rejects.toMatchObject({ code: 'identity_unavailable', reason: 'aborted' });
    resolve('late');
    expect(await waiting).toBe('late');
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('tells why a token could not be fetched, with a signal too', async () => {
    const vault = { workloadAccessToken: () => Promise.reject(new Error('down')) } as unknown as TokenVault;
    tokens = new WorkloadTokens(vault, config);
    await expect(tokens.use(alice, () => Promise.resolve(), new AbortController().signal)).rejects.toThrow(
      'down',
    );
  });

  it('keeps a token for five minutes', async () => {
    await tokenOf(alice);
    jest.advanceTimersByTime(5 * 60_000 - 1_000);
    expect(await tokenOf(alice)).toBe('token-1');
    jest.advanceTimersByTime(2_000);
    expect(await tokenOf(alice)).toBe('token-2');
  });

  it.each<[string, User | undefined, User | undefined]>([
    ['two users', alice, { sub: 'bob' }],
    ['a user and the workload', alice, undefined],
    ['a user with the same name as the workload, and the workload', { sub: 'workload' }, undefined],
    ['a user with and without a user token', alice, { sub: 'alice', userToken: 'a' }],
    ['two user tokens', { sub: 'alice', userToken: 'a' }, { sub: 'alice', userToken: 'b' }],
    ['one user token of two users', { sub: 'alice', userToken: 'a' }, { sub: 'bob', userToken: 'a' }],
    ['a user, and a user who is named like the cache key', alice, { sub: 'user:alice' }],
  ])('keeps the tokens of %s separate', async (_name, one, other) => {
    expect(await tokenOf(one)).toBe('token-1');
    expect(await tokenOf(other)).toBe('token-2');
    expect(await tokenOf(one)).toBe('token-1');
    expect(await tokenOf(other)).toBe('token-2');
    expect(issued.map(([, user]) => user)).toEqual([one, other]);
  });

  it('caches the tokens of at most 5000 users', async () => {
    for (let n = 0; n <= 5_000; n += 1) await tokenOf({ sub: String(n) });
    await tokenOf({ sub: '5000' });
    expect(issued).toHaveLength(5_001);
    await tokenOf({ sub: '0' });
    expect(issued).toHaveLength(5_002);
  });

  it('replaces a rejected token once', async () => {
    const used: string[] = [];
    const work = (token: string): Promise<string> => {
      used.push(token);
      return Promise.reject(new WorkloadTokenRejectedError());
    };
    await expect(tokens.use(alice, work)).rejects.toThrow(WorkloadTokenRejectedError);
    expect(used).toEqual(['token-1', 'token-2']);
  });

  it('keeps the token when something else fails, and does not try again', async () => {
    const used: string[] = [];
    const failing = tokens.use(alice, (token) => {
      used.push(token);
      return Promise.reject(new Error('other'));
    });
    await expect(failing).rejects.toThrow('other');
    expect(used).toEqual(['token-1']);
    expect(await tokenOf(alice)).toBe('token-1');
  });

  it('keeps the fresh token of another call when the old token is rejected late', async () => {
    const late = tokens.use(alice, async (token) => {
      if (token !== 'token-1') return token;
      // Meanwhile a parallel call has replaced the token.
      await tokens.use(alice, (each) =>
        each === 'token-1' ? Promise.reject(new WorkloadTokenRejectedError()) : Promise.resolve(each),
      );
      throw new WorkloadTokenRejectedError();
    });
    expect(await late).toBe('token-2');
    expect(issued).toHaveLength(2);
  });
});
