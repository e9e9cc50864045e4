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
    // The caches took hold of this object when they were loaded, so its method is replaced; sockets keep Node's own time.
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
    ['a user of the name that the workload goes by, and the workload', { sub: 'workload' }, undefined],
    ['a user with and without a user token', alice, { sub: 'alice', userToken: 'a' }],
    ['two user tokens', { sub: 'alice', userToken: 'a' }, { sub: 'alice', userToken: 'b' }],
    ['one user token of two users', { sub: 'alice', userToken: 'a' }, { sub: 'bob', userToken: 'a' }],
    ['a user and one who is named like the key', alice, { sub: 'user:alice' }],
  ])('keeps the tokens of %s apart', async (_name, one, other) => {
    expect([await tokenOf(one), await tokenOf(other)]).toEqual(['token-1', 'token-2']);
    expect([await tokenOf(one), await tokenOf(other)]).toEqual(['token-1', 'token-2']);
    expect(issued.map(([, user]) => user)).toEqual([one, other]);
  });

  it('remembers at most 5000 users', async () => {
    for (let n = 0; n <= 5_000; n += 1) await tokenOf({ sub: String(n) });
    await tokenOf({ sub: '5000' });
    expect(issued).toHaveLength(5_001);
    await tokenOf({ sub: '0' });
    expect(issued).toHaveLength(5_002);
  });

  it('gives a rejected token up, once', async () => {
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

  it("keeps another call's fresh token when the old one is rejected late", async () => {
    const late = tokens.use(alice, async (token) => {
      if (token !== 'token-1') return token;
      // Meanwhile a call beside this one has had the token replaced.
      await tokens.use(alice, (each) =>
        each === 'token-1' ? Promise.reject(new WorkloadTokenRejectedError()) : Promise.resolve(each),
      );
      throw new WorkloadTokenRejectedError();
    });
    expect(await late).toBe('token-2');
    expect(issued).toHaveLength(2);
  });
});
