import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { WorkingSet } from './conversation.js';
import { Conversations } from './conversations.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import type { Turn } from './turn.js';
import { assistant, pending, user } from './testing/messages.js';

describe('Conversations', () => {
  let store: MemoryStore;
  let conversations: Conversations;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(() => {
    jest.useFakeTimers();
    store = new MemoryStore();
    conversations = new Conversations(store);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const begin = (text: string, id = 'one', sub = 'alice'): Promise<Turn> =>
    conversations.begin(sub, id, `run-${text}`, { kind: 'message', text });
  const resume = (interruptIds: readonly string[]): Promise<Turn> =>
    conversations.begin('alice', 'one', 'run-resume', { kind: 'resume', interruptIds });
  const say = async (text: string, id = 'one', sub = 'alice'): Promise<void> => {
    const turn = await begin(text, id, sub);
    await turn.finish({ outcome: 'success', messages: [user(text), assistant(`re: ${text}`)] });
  };
  const workingSet = (): WorkingSet => {
    const entry = [...store.objects].find(([key]) => key.endsWith('/one/working-set.json'));
    return JSON.parse(entry?.[1].text ?? '{}') as WorkingSet;
  };

  it('keeps the message before the model is called, and the turn afterwards', async () => {
    const turn = await begin('hello');
    expect(workingSet().claim).toMatchObject({ seq: 1, userText: 'hello' });
    expect(turn.messages).toEqual([]);
    await turn.finish({ outcome: 'success', messages: [user('hello'), assistant('hi')] });
    expect(workingSet()).toMatchObject({ turns: 1, messages: [user('hello'), assistant('hi')] });
    expect(workingSet().claim).toBeUndefined();
    expect((await begin('next')).messages).toEqual([user('hello'), assistant('hi')]);
  });

  it('refuses a second turn at the same time', async () => {
    await begin('hello');
    await expect(begin('me too')).rejects.toMatchObject({ code: 'session_busy' });
  });

  it('lets one of two turns that begin at the same moment win', async () => {
    const both = await Promise.allSettled([begin('one'), begin('two')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('renews its claim, so that a long turn keeps it', async () => {
    await begin('hello');
    await jest.advanceTimersByTimeAsync(10 * 60_000);
    await expect(begin('me too')).rejects.toMatchObject({ code: 'session_busy' });
  });

  it('gives up the claim of a task that died, and keeps its message', async () => {
    await begin('lost');
    jest.clearAllTimers();
    jest.setSystemTime(Date.now() + 61_000);
    const turn = await begin('next');
    expect(turn.messages).toEqual([user('lost')]);
    await turn.finish({ outcome: 'success', messages: [user('next')] });
    const { turns } = await conversations.read('alice', 'one', { limit: 10 });
    expect(turns.map(({ outcome }) => outcome)).toEqual(['abandoned', 'success']);
  });

  it('does not let a task that was given up write over its successor', async () => {
    const zombie = await begin('slow');
    jest.clearAllTimers();
    jest.setSystemTime(Date.now() + 61_000);
    await say('next');
    await expect(zombie.finish({ outcome: 'success', messages: [user('slow')] })).rejects.toMatchObject({
      code: 'session_busy',
    });
    expect(workingSet().turns).toBe(2);
  });

  it('adopts the record of a task that died between its two last writes', async () => {
    const turn = await begin('hello');
    store.beforePut = (key) => {
      if (key.endsWith('working-set.json')) throw new Error('died here');
    };
    await expect(
      turn.finish({ outcome: 'success', messages: [user('hello'), assistant('hi')] }),
    ).rejects.toThrow('died here');
    store.beforePut = () => undefined;
    jest.setSystemTime(Date.now() + 61_000);
    expect((await begin('next')).messages).toEqual([user('hello'), assistant('hi')]);
  });

  it('stops when its claim is lost', async () => {
    const turn = await begin('hello');
    const [key] = [...store.objects.keys()].filter((each) => each.endsWith('working-set.json'));
    await store.put(key ?? '', JSON.stringify(workingSet()), { always: true });
    await jest.advanceTimersByTimeAsync(21_000);
    expect(turn.lost.aborted).toBe(true);
  });

  it('goes on when a renewal fails, and stops when its lease is over', async () => {
    const turn = await begin('hello');
    store.beforePut = () => {
      throw new Error('away');
    };
    await jest.advanceTimersByTimeAsync(45_000);
    expect(turn.lost.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(40_000);
    expect(turn.lost.aborted).toBe(true);
  });

  it('brings a paused run back when its task died between the two last writes', async () => {
    const turn = await begin('who am i');
    store.beforePut = (key) => {
      if (key.endsWith('working-set.json')) throw new Error('died here');
    };
    await expect(
      turn.finish({ outcome: 'interrupt', messages: [user('who am i')], pending }),
    ).rejects.toThrow('died');
    store.beforePut = () => undefined;
    jest.setSystemTime(Date.now() + 61_000);
    const resumed = await resume(['interrupt-1', 'interrupt-2']);
    expect(resumed).toMatchObject({ pending, interrupts: 2 });
  });

  it('can be finished again when the store failed half-way', async () => {
    const turn = await begin('hello');
    let failed = false;
    store.beforePut = (key) => {
      if (key.endsWith('working-set.json') && !failed) {
        failed = true;
        throw new Error('away for a moment');
      }
    };
    const result = { outcome: 'success', messages: [user('hello'), assistant('hi')] } as const;
    await expect(turn.finish(result)).rejects.toThrow('away for a moment');
    await turn.finish({ ...result, outcome: 'error' });
    expect(workingSet()).toMatchObject({ turns: 1, messages: result.messages });
    const { turns } = await conversations.read('alice', 'one', { limit: 1 });
    expect(turns[0]?.outcome).toBe('success');
  });

  it('gives the claim back when the index cannot be written', async () => {
    store.beforePut = (key) => {
      if (key.includes('/index/')) throw new Error('no index');
    };
    await expect(begin('hello')).rejects.toThrow('no index');
    expect(store.objects.size).toBe(0);
    store.beforePut = () => undefined;
    await expect(begin('again')).resolves.toBeDefined();
  });

  describe('with a paused run', () => {
    beforeEach(async () => {
      const turn = await begin('who am i');
      await turn.finish({ outcome: 'interrupt', messages: [user('who am i')], pending });
    });

    it('hands it to the turn that resumes it, and numbers further interrupts on', async () => {
      const turn = await resume(['interrupt-2', 'interrupt-1']);
      expect(turn).toMatchObject({ pending, interrupts: 2 });
      expect(workingSet().pending).toBeUndefined();
    });

    it.each([
      [['interrupt-1']],
      [['interrupt-1', 'interrupt-1']],
      [['interrupt-1', 'interrupt-2', 'interrupt-3']],
      [['interrupt-3', 'interrupt-4']],
      [[]],
    ])('takes an answer to every interrupt, each once: not %j', async (ids) => {
      await expect(resume(ids)).rejects.toMatchObject({ code: 'interrupt_not_pending' });
    });

    it('can be resumed once', async () => {
      const turn = await resume(['interrupt-1', 'interrupt-2']);
      await turn.finish({ outcome: 'success', messages: [assistant('done')] });
      await expect(resume(['interrupt-1', 'interrupt-2'])).rejects.toMatchObject({
        code: 'interrupt_not_pending',
      });
    });

    it('is handed to a new message as well, which closes it', async () => {
      const turn = await begin('never mind');
      expect(turn.pending).toEqual(pending);
      await turn.finish({ outcome: 'success', messages: [user('never mind')] });
      await expect(resume(['interrupt-1', 'interrupt-2'])).rejects.toMatchObject({
        code: 'interrupt_not_pending',
      });
    });

    it('cannot be resumed again after a resume that was cut off, but closed', async () => {
      await resume(['interrupt-1', 'interrupt-2']);
      jest.clearAllTimers();
      jest.setSystemTime(Date.now() + 61_000);
      await expect(resume(['interrupt-1', 'interrupt-2'])).rejects.toMatchObject({
        code: 'interrupt_not_pending',
      });
      expect((await begin('hello?')).pending).toMatchObject({ resumable: false });
    });

    it('is over when the resume that was cut off had written its record', async () => {
      const turn = await resume(['interrupt-1', 'interrupt-2']);
      store.beforePut = (key) => {
        if (key.endsWith('working-set.json')) throw new Error('died here');
      };
      await expect(turn.finish({ outcome: 'success', messages: [assistant('done')] })).rejects.toThrow(
        'died here',
      );
      store.beforePut = () => undefined;
      jest.setSystemTime(Date.now() + 61_000);
      const next = await begin('and now?');
      expect(next.pending).toBeUndefined();
      expect(next.messages.at(-1)).toEqual(assistant('done'));
    });

    it('comes back when the turn that took it could not start', async () => {
      store.beforePut = (key) => {
        if (key.includes('/index/')) throw new Error('no index');
      };
      await expect(resume(['interrupt-1', 'interrupt-2'])).rejects.toThrow('no index');
      store.beforePut = () => undefined;
      await expect(resume(['interrupt-1', 'interrupt-2'])).resolves.toBeDefined();
    });
  });

  it('knows no conversation to resume, read or delete that is not there', async () => {
    await expect(resume(['interrupt-1'])).rejects.toMatchObject({ code: 'session_not_found' });
    await expect(conversations.read('alice', 'one', { limit: 1 })).rejects.toMatchObject({
      code: 'session_not_found',
    });
    await expect(conversations.delete('alice', 'one')).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('keeps users apart', async () => {
    await say('hello');
    await expect(conversations.read('bob', 'one', { limit: 1 })).rejects.toMatchObject({
      code: 'session_not_found',
    });
    expect(await conversations.list('bob', 10)).toEqual([]);
    expect([...store.objects.keys()].every((key) => key.startsWith('users/YWxpY2U/'))).toBe(true);
  });

  it.each(['', '../x', 'a/b', 'a%2fb', 'a\u0000b', 'é', 'x'.repeat(65)])('refuses the id %j', async (id) => {
    await expect(begin('hello', id)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(store.objects.size).toBe(0);
  });

  it('has no place for a user without a subject', () => {
    expect(() => begin('hello', 'one', '')).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
  });

  it('lists the latest first', async () => {
    for (const id of ['a', 'b', 'c']) await say('hello', id);
    await say('again', 'a');
    expect((await conversations.list('alice', 2)).map(({ sessionId }) => sessionId)).toEqual(['a', 'c']);
  });

  it('titles a conversation by its first message, shortened', async () => {
    await say(`  many\n words ${'x'.repeat(200)}`);
    const [summary] = await conversations.list('alice', 1);
    expect(summary?.title).toHaveLength(80);
    expect(summary?.title).toMatch(/^many words x/);
  });

  it('is read page by page, from its end', async () => {
    for (const text of ['a', 'b', 'c', 'd', 'e']) await say(text);
    const latest = await conversations.read('alice', 'one', { limit: 2 });
    expect(latest).toMatchObject({ turns: [{ seq: 4 }, { seq: 5 }], nextBefore: 4 });
    const earlier = await conversations.read('alice', 'one', { limit: 9, before: 4 });
    expect(earlier).toMatchObject({ turns: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] });
    expect(earlier.nextBefore).toBeUndefined();
    expect((await conversations.read('alice', 'one', { limit: 9, before: 1 })).turns).toEqual([]);
  });

  it('is deleted for good, but not while it answers', async () => {
    await say('hello');
    const turn = await begin('more');
    await expect(conversations.delete('alice', 'one')).rejects.toMatchObject({ code: 'session_busy' });
    await turn.finish({ outcome: 'success', messages: [] });
    await conversations.delete('alice', 'one');
    expect(store.objects.size).toBe(0);
  });

  it('can be deleted again after a delete that failed half-way, and is gone for everybody else meanwhile', async () => {
    await say('hello');
    store.beforeDelete = () => {
      throw new Error('away for a moment');
    };
    await expect(conversations.delete('alice', 'one')).rejects.toThrow('away for a moment');
    store.beforeDelete = () => undefined;
    expect(
      JSON.stringify([...store.objects.values()].filter(({ text }) => text.includes('deletedAt'))),
    ).not.toContain('hello');
    await expect(conversations.read('alice', 'one', { limit: 1 })).rejects.toMatchObject({
      code: 'session_not_found',
    });
    await expect(begin('more')).rejects.toMatchObject({ code: 'session_busy' });
    await conversations.delete('alice', 'one');
    expect(store.objects.size).toBe(0);
    await expect(begin('more')).resolves.toBeDefined();
  });

  it('leaves nothing of a task whose claim lapsed before it was deleted', async () => {
    const zombie = await begin('OLD SECRET');
    jest.clearAllTimers();
    jest.setSystemTime(Date.now() + 61_000);
    await conversations.delete('alice', 'one');
    await expect(zombie.finish({ outcome: 'success', messages: [user('OLD SECRET')] })).rejects.toMatchObject(
      { code: 'session_busy' },
    );
    expect(store.objects.size).toBe(0);
  });

  it('does not lose a turn that begins while it is being deleted', async () => {
    await say('hello');
    const [deleted, begun] = await Promise.allSettled([conversations.delete('alice', 'one'), begin('more')]);
    expect([deleted.status, begun.status].sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('asks the same of the store however long the conversation is', async () => {
    const requests = async (work: () => Promise<void>): Promise<number> => {
      let count = 0;
      store.beforePut = () => (count += 1);
      await work();
      return count;
    };
    const first = await requests(() => say('first'));
    for (let index = 0; index < 100; index += 1) await say('x'.repeat(5_000));
    expect(await requests(() => say('last'))).toBe(first);
    expect(workingSet().messages.length).toBeLessThanOrEqual(60);
    expect(JSON.stringify(workingSet()).length).toBeLessThan(220_000);
  });
});
