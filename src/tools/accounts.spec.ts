import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../common/errors/index.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { Accounts, type AccountCheck } from './accounts.js';
import type { ProviderCallContext } from './agent-tool.decorator.js';
import { Connections } from './connections.js';
import type { Account } from './provider.js';
import { TokenRefusedError } from './tool.errors.js';

const ALICE: Account = { id: '1', login: 'alice-octo', scopes: ['read:user'] };
const BOB: Account = { id: '2', login: 'bob-octo' };
const recordedAs = ({ id, login }: Account): Account => ({ id, login });
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const { signal } = new AbortController();

describe('Accounts', () => {
  let store: MemoryStore;
  let connections: Connections;
  let accounts: Accounts;
  let asked: ProviderCallContext[];
  let uptime: number;
  /** Whose tokens they are. */
  let owners: Readonly<Record<string, Account>>;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
    // The cache of accounts goes by the clock that it found when it was loaded.
    uptime = 1_000;
    jest.spyOn(performance, 'now').mockImplementation(() => uptime);
    store = new MemoryStore();
    connections = new Connections(store);
    accounts = new Accounts(connections);
    asked = [];
    owners = { 'token-alice': ALICE, 'token-alice-2': ALICE, 'token-bob': BOB };
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  const pass = (milliseconds: number): void => {
    uptime += milliseconds;
    jest.advanceTimersByTime(milliseconds);
  };

  const recorded = async (sub: string, provider: string): Promise<Account | undefined> =>
    (await connections.read(sub, provider))?.connection.account;
  const check = async (
    accessToken: string,
    {
      accepted,
      sub = 'alice',
      provider = 'parrot',
      by = accounts,
    }: {
      readonly accepted?: string;
      readonly sub?: string;
      readonly provider?: string;
      readonly by?: Accounts;
    } = {},
  ): Promise<AccountCheck> => {
    const identify = (context: ProviderCallContext): Promise<Account> => {
      asked.push(context);
      const owner = owners[context.accessToken];
      return owner === undefined ? Promise.reject(new TokenRefusedError()) : Promise.resolve(owner);
    };
    const known = await connections.read(sub, provider);
    return by.check({ provider, identify }, { sub, accessToken, signal, known }, accepted);
  };

  describe('at the first use', () => {
    it('records whose token it is', async () => {
      expect(await recorded('alice', 'parrot')).toBeUndefined();
      expect(await check('token-alice')).toEqual({ kind: 'same', account: ALICE, identifiedNow: true });
      expect(await recorded('alice', 'parrot')).toEqual(recordedAs(ALICE));
    });

    it('asks the provider with that token, and without scopes', async () => {
      await check('token-alice');
      expect(asked).toEqual([{ accessToken: 'token-alice', signal, scopes: [] }]);
    });

    it('records nothing for a run that ends in between', async () => {
      const leaving = new AbortController();
      const identify = (): Promise<Account> => {
        leaving.abort();
        return Promise.resolve(ALICE);
      };
      const token = {
        sub: 'alice',
        accessToken: 'token-alice',
        signal: leaving.signal,
        known: undefined,
      };
      const checking = accounts.check({ provider: 'parrot', identify }, token, undefined);
      await expect(checking).rejects.toMatchObject({ reason: 'aborted' });
      expect(store.objects.size).toBe(0);
    });

    it('records nothing where the provider does not take the token', async () => {
      await expect(check('token-refused')).rejects.toThrow(TokenRefusedError);
      expect(store.objects.size).toBe(0);
    });

    it('asks again for a token that the provider did not take before', async () => {
      await expect(check('token-late')).rejects.toThrow(TokenRefusedError);
      owners = { 'token-late': ALICE };
      expect(await check('token-late')).toMatchObject({ kind: 'same', account: ALICE });
    });
  });

  describe('with a token that is known', () => {
    beforeEach(async () => {
      await check('token-alice');
    });

    it('does not ask the provider again', async () => {
      expect(await check('token-alice')).toEqual({ kind: 'same', account: ALICE, identifiedNow: false });
      expect(asked).toHaveLength(1);
    });

    it('asks again when it has not been used for ten minutes', async () => {
      pass(10 * MINUTE + 1);
      expect(await check('token-alice')).toMatchObject({ identifiedNow: true });
      expect(asked).toHaveLength(2);
    });

    it('is recorded with the scopes of a further one', async () => {
      owners = { 'token-alice-2': { ...ALICE, scopes: ['read:user', 'repo'] } };
      await check('token-alice-2');
      expect((await connections.read('alice', 'parrot'))?.connection.scopes).toEqual(['read:user', 'repo']);
    });

    it('does not ask again within ten minutes', async () => {
      pass(10 * MINUTE - 1);
      expect(await check('token-alice')).toMatchObject({ identifiedNow: false });
      expect(asked).toHaveLength(1);
    });

    it.each<[string, string, string]>([
      ['another token of the same account', 'token-alice-2', 'parrot'],
      ['the same token at another provider', 'token-alice', 'bank'],
    ])('asks again for %s', async (_name, accessToken, provider) => {
      await check(accessToken, { provider });
      expect(asked).toHaveLength(2);
    });

    it('does not take a provider and a token for others that are spelled alike', async () => {
      owners = { 'b c': ALICE, c: BOB };
      expect(await check('b c', { provider: 'a', sub: 'carol' })).toMatchObject({ account: ALICE });
      expect(await check('c', { provider: 'ab', sub: 'dave' })).toMatchObject({ account: BOB });
    });

    it('compares with what is recorded, also when it does not ask', async () => {
      await check('token-bob', { accepted: BOB.id });
      expect(await check('token-alice')).toEqual({
        kind: 'changed',
        before: recordedAs(BOB),
        now: ALICE,
      });
    });
  });

  describe('with a token of another account', () => {
    beforeEach(async () => {
      await check('token-alice');
    });

    it('tells of both, and records nothing', async () => {
      expect(await check('token-bob')).toEqual({ kind: 'changed', before: recordedAs(ALICE), now: BOB });
      expect(await recorded('alice', 'parrot')).toEqual(recordedAs(ALICE));
    });

    it('switches where the user has agreed to that account', async () => {
      expect(await check('token-bob', { accepted: BOB.id })).toEqual({
        kind: 'same',
        account: BOB,
        identifiedNow: true,
      });
      expect(await recorded('alice', 'parrot')).toEqual(recordedAs(BOB));
    });

    it.each(['1', '3', '', BOB.login])(
      'does not switch where the user has agreed to %j',
      async (accepted) => {
        expect(await check('token-bob', { accepted })).toMatchObject({ kind: 'changed' });
        expect(await recorded('alice', 'parrot')).toEqual(recordedAs(ALICE));
      },
    );

    it('compares by the id of the account, and not by its name', async () => {
      owners = { renamed: { id: ALICE.id, login: 'alice-new' }, reused: { id: '9', login: ALICE.login } };
      expect(await check('renamed')).toMatchObject({ kind: 'same', account: { login: 'alice-new' } });
      expect(await check('reused')).toMatchObject({ kind: 'changed' });
    });

    it.each<[string, { readonly sub?: string; readonly provider?: string }]>([
      ['of another user', { sub: 'bob' }],
      ['at another provider', { provider: 'bank' }],
    ])('compares nothing with the connection %s', async (_name, whose) => {
      expect(await check('token-bob', whose)).toMatchObject({ kind: 'same', account: BOB });
      expect(await recorded('alice', 'parrot')).toEqual(recordedAs(ALICE));
    });
  });

  describe('with a connection that is old', () => {
    const updatedAt = async (): Promise<number | undefined> =>
      (await connections.read('alice', 'parrot'))?.connection.updatedAt;
    let first: number;

    beforeEach(async () => {
      first = Date.now();
      await check('token-alice');
    });

    it.each([
      [DAY, 0],
      [DAY + 1, DAY + 1],
    ])('writes it anew when a token is identified after %i ms', async (later, renewedAfter) => {
      jest.setSystemTime(first + later);
      expect(await check('token-alice-2')).toEqual({ kind: 'same', account: ALICE, identifiedNow: true });
      expect(await updatedAt()).toBe(first + renewedAfter);
    });

    it('does not write it anew for a token that is known', async () => {
      // A process that has identified the token just now, beside one whose connection was written long ago.
      jest.setSystemTime(first + 2 * DAY);
      await check('token-alice-2', { sub: 'other' });
      expect(await check('token-alice-2')).toMatchObject({ identifiedNow: false });
      expect(await updatedAt()).toBe(first);
    });
  });

  describe('while another call records', () => {
    /** Lets another call record the account first, that many times. */
    const outrun = (times: number, account: Account): void => {
      let left = times;
      store.beforePut = (key) => {
        if (left === 0) return;
        left -= 1;
        const connection = {
          version: 1,
          provider: 'parrot',
          account: recordedAs(account),
          scopes: [],
          updatedAt: Date.now(),
        };
        const version = `other-${String(left)}`;
        store.objects.set(key, { text: JSON.stringify(connection), version, modifiedAt: new Date() });
      };
    };

    it('reads what was recorded, and takes the same account', async () => {
      const one = check('token-alice');
      const other = check('token-alice', { by: new Accounts(connections) });
      expect(await one).toMatchObject({ kind: 'same', account: ALICE });
      expect(await other).toMatchObject({ kind: 'same', account: ALICE });
      expect(store.objects.size).toBe(1);
    });

    it('lets only one of two accounts be recorded', async () => {
      const kinds = await Promise.all([check('token-alice'), check('token-bob')]);
      expect(kinds.map(({ kind }) => kind).sort()).toEqual(['changed', 'same']);
      expect(store.objects.size).toBe(1);
    });

    it.each<[string, Account, AccountCheck]>([
      ['the same account', ALICE, { kind: 'same', account: ALICE, identifiedNow: true }],
      ['another account', BOB, { kind: 'changed', before: recordedAs(BOB), now: ALICE }],
    ])('compares with %s that was recorded first', async (_name, account, expected) => {
      outrun(1, account);
      expect(await check('token-alice')).toEqual(expected);
    });

    it.each([1, 3])('tries again after %i conflicts', async (times) => {
      await check('token-alice');
      outrun(times, ALICE);
      expect(await check('token-bob', { accepted: BOB.id })).toMatchObject({ kind: 'same', account: BOB });
      expect(await recorded('alice', 'parrot')).toEqual(recordedAs(BOB));
    });

    it('gives up after four conflicts', async () => {
      await check('token-alice');
      outrun(4, ALICE);
      await expect(check('token-bob', { accepted: BOB.id })).rejects.toThrow('faster than it can be read');
      expect(await recorded('alice', 'parrot')).toEqual(recordedAs(ALICE));
    });
  });

  it('passes on that the store does not answer', async () => {
    store.beforePut = () => {
      throw new AppError('sessions_unavailable');
    };
    await expect(check('token-alice')).rejects.toMatchObject({ code: 'sessions_unavailable' });
  });

  it('keeps no token', async () => {
    await check('token-alice');
    const kept = [...store.objects].map(([key, { text }]) => `${key} ${text}`).join('\n');
    expect(kept).not.toContain('token-alice');
  });
});
