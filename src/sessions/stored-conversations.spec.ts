import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PendingRun } from './conversation.js';
import { Conversations } from './conversations.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { pending, user } from './testing/messages.js';

describe('the conversations of a user', () => {
  const NOW = Date.UTC(2026, 0, 1);
  const PREFIX = 'users/YWxpY2U/';
  let store: MemoryStore;
  let conversations: Conversations;

  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
    store = new MemoryStore();
    conversations = new Conversations(store);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const say = async (text: string, pendingRun?: PendingRun): Promise<void> => {
    const turn = await conversations.begin('alice', 'one', 'run', { kind: 'message', text });
    const paused = pendingRun === undefined ? {} : { pending: pendingRun };
    await turn.finish({ outcome: 'success', messages: [user(text)], ...paused });
  };

  it('are listed without those that go meanwhile', async () => {
    await say('hello');
    store.get = () => Promise.resolve(undefined);
    expect(await conversations.list('alice', 10)).toEqual([]);
  });

  it('are listed and searched under their own prefixes, within bounds', async () => {
    await say('hello');
    const list = jest.spyOn(store, 'list');
    await conversations.list('alice', 10);
    await conversations.delete('alice', 'one');
    expect(list.mock.calls).toEqual([
      [`${PREFIX}index/`, 10_000],
      [`${PREFIX}sessions/one/`, 100_000],
    ]);
  });

  it('are read with all that is known of them', async () => {
    await say('hello');
    const at = new Date(NOW).toISOString();
    expect(await conversations.read('alice', 'one', { limit: 1 })).toStrictEqual({
      summary: { sessionId: 'one', title: 'hello', createdAt: at, updatedAt: at },
      turns: [
        {
          version: 2,
          seq: 1,
          runId: 'run',
          startedAt: NOW,
          endedAt: NOW,
          outcome: 'success',
          messages: [user('hello')],
        },
      ],
      busy: false,
    });
  });

  it('are read with the run that waits', async () => {
    await say('hello', pending);
    expect(await conversations.read('alice', 'one', { limit: 1 })).toMatchObject({ pending });
  });

  it('are busy while a turn has its claim, and no longer', async () => {
    await conversations.begin('alice', 'one', 'run', { kind: 'message', text: 'hello' });
    jest.clearAllTimers();
    const busyAfter = async (ms: number): Promise<boolean> => {
      jest.setSystemTime(NOW + ms);
      return (await conversations.read('alice', 'one', { limit: 1 })).busy;
    };
    expect(await busyAfter(59_999)).toBe(true);
    expect(await busyAfter(60_000)).toBe(false);
  });

  it('are read without records that are missing, and without ones that were never written', async () => {
    for (const text of ['a', 'b', 'c']) await say(text);
    store.objects.delete(`${PREFIX}sessions/one/turns/00000002.json`);
    const get = jest.spyOn(store, 'get');
    const { turns } = await conversations.read('alice', 'one', { limit: 10, before: 99 });
    expect(turns.map(({ seq }) => seq)).toEqual([1, 3]);
    expect(get).toHaveBeenCalledTimes(4);
  });

  it('leave a tombstone without a word of theirs, until all else is gone', async () => {
    await say('SECRET', pending);
    jest.setSystemTime(NOW + 1_000);
    store.beforeDelete = () => {
      throw new Error('away');
    };
    await expect(conversations.delete('alice', 'one')).rejects.toThrow('away');
    expect(JSON.parse(store.objects.get(`${PREFIX}sessions/one/working-set.json`)?.text ?? '')).toStrictEqual(
      {
        version: 2,
        sessionId: 'one',
        createdAt: NOW,
        updatedAt: NOW + 1_000,
        title: '',
        turns: 1,
        interrupts: 2,
        messages: [],
        deletedAt: NOW + 1_000,
      },
    );
  });

  it('keep the tombstone out of the batch, so that it goes last', async () => {
    await say('hello');
    const batch = jest.spyOn(store, 'delete');
    await conversations.delete('alice', 'one');
    expect(batch.mock.calls).toEqual([
      [[`${PREFIX}index/one.json`, `${PREFIX}sessions/one/turns/00000001.json`]],
    ]);
    expect(store.objects.size).toBe(0);
  });

  it('are not deleted when a turn begins at that moment', async () => {
    await say('hello');
    const put = jest.spyOn(store, 'put').mockResolvedValueOnce('conflict');
    await expect(conversations.delete('alice', 'one')).rejects.toMatchObject({ code: 'session_busy' });
    expect(put).toHaveBeenCalledTimes(1);
    expect(store.objects.size).toBe(3);
  });
});
