import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../common/errors/index.js';
import { recordedLog } from '../common/logging/testing/recorded-log.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import type { Conversations } from './conversations.js';
import { UserKeys } from './keys.js';
import { assistant, user } from './testing/messages.js';
import { begun, taskOn } from './testing/tasks.js';

const SET = new UserKeys('alice').workingSet('one');

describe('the summary of a conversation', () => {
  let store: MemoryStore;
  let task: Conversations;

  beforeEach(() => {
    recordedLog();
    store = new MemoryStore();
    task = taskOn(store);
  });

  const turns = async (count: number, by = task): Promise<void> => {
    for (let number = 0; number < count; number += 1) {
      const turn = await begun(by, 'question');
      await turn.finish({ outcome: 'success', messages: [user('question'), assistant('answer')] });
    }
  };
  const leaving = (): NonNullable<ReturnType<Conversations['leaving']>> => {
    const found = task.leaving('alice', 'one');
    if (found === undefined) throw new TypeError('there is nothing to summarise');
    return found;
  };
  const summarise = (text: string, of = leaving()): Promise<boolean> =>
    task.summarise('alice', 'one', text, of);
  const earlier = async (by = task): Promise<unknown> =>
    (await by.read('alice', 'one', { limit: 1 })).earlier;

  it('is not needed while the model can be shown everything', async () => {
    expect(task.leaving('alice', 'one')).toBeUndefined();
    await turns(30);
    expect(task.leaving('alice', 'one')).toBeUndefined();
    await turns(1);
    expect(leaving()).toEqual({ messages: expect.any(Array) as unknown });
    expect(leaving().messages).toHaveLength(32);
  });

  it('is told from the next turn on, at every task, and the transcript stays whole', async () => {
    await turns(31);
    expect(await summarise('So far.')).toBe(true);
    expect(await earlier()).toMatchObject({ text: 'So far.', messages: 32, since: 32 });
    for (const by of [task, taskOn(store)]) {
      const turn = await begun(by, 'next');
      expect(turn.earlier).toMatchObject({ text: 'So far.' });
      expect(turn.messages).toHaveLength(30);
      await turn.abandon();
    }
    const { turns: all } = await task.read('alice', 'one', { limit: 100 });
    expect(all).toHaveLength(31);
  });

  it('is given to the one who writes the next one', async () => {
    await turns(31);
    await summarise('So far.');
    await turns(31);
    expect(leaving()).toMatchObject({ earlier: 'So far.' });
    await summarise('And on.');
    expect(await earlier()).toMatchObject({ text: 'And on.', since: 63 });
  });

  it('costs the next turn no request', async () => {
    await turns(31);
    await summarise('So far.');
    const seen: string[] = [];
    const get = store.get.bind(store);
    store.get = (key) => {
      seen.push(key);
      return get(key);
    };
    await turns(1);
    expect(seen).toEqual([]);
  });

  it('waits for a turn in progress', async () => {
    await turns(31);
    const of = leaving();
    const turn = await begun(task, 'question');
    const stored = summarise('So far.', of);
    await turn.finish({ outcome: 'success', messages: [user('question'), assistant('answer')] });
    expect(await stored).toBe(true);
    expect(await earlier()).toMatchObject({ text: 'So far.', messages: 32, since: 33 });
  });

  it('lets a turn that begins wait until it is written', async () => {
    await turns(31);
    const { promise: mayWrite, resolve: write } = Promise.withResolvers<undefined>();
    const put = store.put.bind(store);
    store.put = async (...args) => {
      await mayWrite;
      return put(...args);
    };
    const stored = summarise('So far.');
    const turn = begun(task, 'next');
    write(undefined);
    expect(await stored).toBe(true);
    expect((await turn).earlier).toMatchObject({ text: 'So far.' });
  });

  it('is dropped where another task has served the conversation since', async () => {
    await turns(31);
    const of = leaving();
    await turns(1, taskOn(store));
    expect(await summarise('Old.', of)).toBe(false);
    expect(await earlier()).toBeUndefined();
    await turns(1, taskOn(store));
  });

  it('is dropped where the conversation is not there any more', async () => {
    await turns(31);
    const of = leaving();
    await task.delete('alice', 'one');
    expect(await summarise('Old.', of)).toBe(false);
    expect(store.objects.has(SET)).toBe(false);
  });

  it('may fail: the next turn goes on', async () => {
    await turns(31);
    store.beforePut = () => {
      throw new AppError('sessions_unavailable');
    };
    await expect(summarise('So far.')).rejects.toMatchObject({ code: 'sessions_unavailable' });
    store.beforePut = () => undefined;
    await turns(1);
    expect(leaving().messages).toHaveLength(34);
  });
});
