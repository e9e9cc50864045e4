import { Logger } from '@nestjs/common';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { Connections } from './connections.js';

const ALICE = { id: '1', login: 'alice-octo', scopes: ['read:user'] };

describe('Connections', () => {
  let store: MemoryStore;
  let connections: Connections;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(() => {
    store = new MemoryStore();
    connections = new Connections(store);
  });

  it('keeps one account for each user and provider', async () => {
    expect(await connections.read('alice', 'github')).toBeUndefined();
    expect(await connections.record('alice', 'github', ALICE, undefined)).toBe(true);
    expect((await connections.read('alice', 'github'))?.connection).toEqual({
      version: 1,
      provider: 'github',
      account: { id: '1', login: 'alice-octo' },
      scopes: ['read:user'],
      updatedAt: expect.any(Number) as unknown,
      connectedAt: expect.any(Number) as unknown,
    });
    expect(await connections.read('alice', 'bank')).toBeUndefined();
    expect(await connections.read('bob', 'github')).toBeUndefined();
  });

  it('takes the place of the one that was read, and of no other', async () => {
    await connections.record('alice', 'github', ALICE, undefined);
    const first = await connections.read('alice', 'github');
    expect(await connections.record('alice', 'github', { id: '2', login: 'b' }, undefined)).toBe(false);
    expect(await connections.record('alice', 'github', { id: '2', login: 'b' }, first)).toBe(true);
    expect(await connections.record('alice', 'github', ALICE, first)).toBe(false);
    expect((await connections.read('alice', 'github'))?.connection.account?.id).toBe('2');
  });

  it('adds what another token of the same account may do', async () => {
    await connections.record('alice', 'github', ALICE, undefined);
    const first = await connections.read('alice', 'github');
    await connections.record('alice', 'github', { ...ALICE, scopes: ['repo'] }, first);
    const both = await connections.read('alice', 'github');
    expect(both?.connection).toMatchObject({
      scopes: ['read:user', 'repo'],
      connectedAt: first?.connection.connectedAt,
    });
    await connections.record('alice', 'github', { id: '2', login: 'b', scopes: ['repo'] }, both);
    expect((await connections.read('alice', 'github'))?.connection.scopes).toEqual(['repo']);
  });

  it.each(['', '{', '[]', '{"version":2}', '{"version":1,"provider":"github"}'])(
    'refuses what it cannot read: %s',
    async (text) => {
      await connections.record('alice', 'github', ALICE, undefined);
      const [key = ''] = store.objects.keys();
      await store.put(key, text, { ifVersion: '1' });
      await expect(connections.read('alice', 'github')).rejects.toMatchObject({
        code: 'sessions_unavailable',
        reason: 'connection_unreadable',
      });
    },
  );
});
