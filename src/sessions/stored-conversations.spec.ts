import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PendingRun } from './conversation.js';
import type { Conversations } from './conversations.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { pending, user } from './testing/messages.js';
import { lineAt } from './lines.js';
import { begun, taskOn } from './testing/tasks.js';

describe('the conversations of a user', () => {
  const NOW = Date.UTC(2026, 0, 1);
  const PREFIX = 'users/YWxpY2U/';
  let store: MemoryStore;
  let conversations: Conversations;

  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
    store = new MemoryStore();
    conversations = taskOn(store);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const say = async (text: string, pendingRun?: PendingRun): Promise<void> => {
    const turn = await begun(conversations, text, { runId: `run-${text}` });
    const paused = pendingRun === undefined ? {} : { pending: pendingRun };
    await turn.finish({ outcome: 'success', messages: [user(text)], ...paused });
  };

  it('are listed without those that go meanwhile', async () => {
    await say('hello');
    store.head = () => Promise.resolve(undefined);
    expect(await conversations.list('alice', { limit: 10 })).toEqual({ sessions: [] });
  });

  it('are listed and searched under their own prefixes, within bounds', async () => {
    await say('hello');
    const list = jest.spyOn(store, 'list');
    await conversations.list('alice', { limit: 10 });
    await conversations.delete('alice', 'one');
    expect(list.mock.calls).toEqual([
      [`${PREFIX}index/`, 10, undefined],
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
          seq: 1,
          runId: 'run-hello',
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
    await begun(conversations, 'hello');
    const other = taskOn(store);
    const busyAfter = async (ms: number): Promise<boolean> => {
      jest.setSystemTime(NOW + ms);
      return (await other.read('alice', 'one', { limit: 1 })).busy;
    };
    expect(await busyAfter(6_999)).toBe(true);
    expect(await busyAfter(7_000)).toBe(false);
  });

  it('of version 2 are read from their records, without those that are missing', async () => {
    const at = { createdAt: NOW, updatedAt: NOW };
    const set = { version: 2, sessionId: 'one', title: '', turns: 3, interrupts: 0, messages: [], ...at };
    const put = (name: string, value: object): Promise<unknown> =>
      store.put(`${PREFIX}sessions/one/${name}.json`, JSON.stringify(value), { always: true });
    await put('working-set', set);
    for (const seq of [1, 3]) {
      const ended = { startedAt: NOW, endedAt: NOW, outcome: 'success', messages: [user(String(seq))] };
      await put(`turns/0000000${String(seq)}`, { version: 2, seq, runId: 'run', ...ended });
    }
    const read = async (page: { limit: number; before?: number }): Promise<readonly number[]> =>
      (await conversations.read('alice', 'one', page)).turns.map(({ seq }) => seq);
    expect(await read({ limit: 10, before: 99 })).toEqual([1, 3]);
    expect(await read({ limit: 10, before: 3 })).toEqual([1]);
    await say('next');
    expect(await read({ limit: 10 })).toEqual([1, 3, 4]);
    store.objects.delete(`${PREFIX}sessions/one/turns/00000003.json`);
    expect(await read({ limit: 10 })).toEqual([1, 4]);
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
        version: 3,
        sessionId: 'one',
        createdAt: NOW,
        updatedAt: NOW + 1_000,
        title: '',
        turns: 1,
        interrupts: 2,
        messages: [],
        recent: [],
        deletedAt: NOW + 1_000,
        line: lineAt(NOW, 'one'),
      },
    );
  });

  it('keep the tombstone out of the batch, so that it goes last', async () => {
    for (let number = 1; number <= 17; number += 1) await say(String(number));
    const batch = jest.spyOn(store, 'delete');
    await conversations.delete('alice', 'one');
    expect(batch.mock.calls).toEqual([
      [
        [
          `${PREFIX}index/one.json`,
          `${PREFIX}index/${lineAt(NOW, 'one')}`,
          `${PREFIX}sessions/one/turns/00000016.json`,
        ],
      ],
    ]);
    expect([...store.objects.keys()].filter((key) => key.startsWith('users/'))).toEqual([]);
  });

  it('are not deleted when a turn begins at that moment', async () => {
    await say('hello');
    const put = jest.spyOn(store, 'put').mockResolvedValueOnce('conflict');
    await expect(conversations.delete('alice', 'one')).rejects.toMatchObject({ code: 'session_busy' });
    expect(put).toHaveBeenCalledTimes(1);
    expect(store.objects.has(`${PREFIX}sessions/one/working-set.json`)).toBe(true);
  });
});
