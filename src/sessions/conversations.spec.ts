import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../common/errors/index.js';
import type { WorkingSet } from './conversation.js';
import type { Conversations } from './conversations.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { assistant, pending, user } from './testing/messages.js';
import { begun, taskOn } from './testing/tasks.js';
import type { Turn } from './turn.js';

describe('Conversations', () => {
  let store: MemoryStore;
  let conversations: Conversations;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(() => {
    jest.useFakeTimers();
    store = new MemoryStore();
    conversations = taskOn(store);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const begin = (text: string, id = 'one', sub = 'alice'): Promise<Turn> =>
    begun(conversations, text, { id, sub });
  const resume = (interruptIds: readonly string[]): Promise<Turn> =>
    begun(conversations, { kind: 'resume', interruptIds });
  const say = async (text: string, id = 'one', sub = 'alice'): Promise<void> => {
    const turn = await begin(text, id, sub);
    await turn.finish({ outcome: 'success', messages: [user(text), assistant(`re: ${text}`)] });
  };
  /** The task dies; the conversations are another one's from now on. */
  const die = (): void => {
    jest.advanceTimersByTime(7_000);
    conversations = taskOn(store);
  };
  const ofUsers = (): readonly string[] =>
    [...store.objects.keys()].filter((key) => key.startsWith('users/'));
  const workingSet = (): WorkingSet => {
    const entry = [...store.objects].find(([key]) => key.endsWith('/one/working-set.json'));
    return JSON.parse(entry?.[1].text ?? '{}') as WorkingSet;
  };

  it('keeps the message before the model is called, and the turn afterwards', async () => {
    const turn = await begin('hello');
    expect(workingSet().claim).toMatchObject({ seq: 1, userText: 'hello' });
    expect(turn.messages).toEqual([]);
    await turn.finish({ outcome: 'success', messages: [user('hello'), assistant('hi')] });
    expect(workingSet()).toMatchObject({
      turns: 1,
      recent: [{ messages: [user('hello'), assistant('hi')] }],
    });
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
      die();
      await expect(resume(['interrupt-1', 'interrupt-2'])).rejects.toMatchObject({
        code: 'interrupt_not_pending',
      });
      expect((await begin('hello?')).pending).toMatchObject({ resumable: false });
    });

    it('comes back when the turn that took it could not start', async () => {
      store.afterPut = (key) => {
        if (key.includes('working-set')) throw new AppError('sessions_unavailable');
      };
      await expect(resume(['interrupt-1', 'interrupt-2'])).rejects.toMatchObject({
        code: 'sessions_unavailable',
      });
      store.afterPut = () => undefined;
      await jest.advanceTimersByTimeAsync(500);
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
    expect(await conversations.list('bob', { limit: 10 })).toEqual({ sessions: [] });
    expect(ofUsers().every((key) => key.startsWith('users/YWxpY2U/'))).toBe(true);
  });

  it.each(['', '../x', 'a/b', 'a%2fb', 'a\u0000b', 'é', 'x'.repeat(65)])('refuses the id %j', async (id) => {
    await expect(begin('hello', id)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(ofUsers()).toEqual([]);
  });

  it('has no place for a user without a subject', () => {
    return expect(begin('hello', 'one', '')).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('lists the latest first', async () => {
    for (const id of ['a', 'b', 'c', 'a']) {
      await say('hello', id);
      jest.advanceTimersByTime(60_000);
    }
    const { sessions } = await conversations.list('alice', { limit: 2 });
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual(['a', 'c']);
  });

  it('titles a conversation by its first message, shortened', async () => {
    await say(`  many\n words ${'x'.repeat(200)}`);
    const [summary] = (await conversations.list('alice', { limit: 1 })).sessions;
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

  it('is renamed, but not while it answers', async () => {
    await say('hello');
    const turn = await begin('more');
    await expect(conversations.rename('alice', 'one', 'new')).rejects.toMatchObject({ code: 'session_busy' });
    const other = taskOn(store);
    await expect(other.rename('alice', 'one', 'new')).rejects.toMatchObject({ code: 'session_busy' });
    await turn.finish({ outcome: 'success', messages: [] });
    await conversations.rename('alice', 'one', 'new');
    const { sessions } = await conversations.list('alice', { limit: 9 });
    expect(sessions).toMatchObject([{ sessionId: 'one', title: 'new' }]);
    await say('and more');
    expect(await conversations.read('alice', 'one', { limit: 9 })).toMatchObject({
      summary: { title: 'new' },
      turns: [{ seq: 1 }, { seq: 2 }, { seq: 3 }],
    });
  });

  it('is not renamed where it is not there, is being deleted, or changes at the same time', async () => {
    const renamed = (): Promise<void> => conversations.rename('alice', 'one', 'new');
    await expect(renamed()).rejects.toMatchObject({ code: 'session_not_found' });
    await say('hello');
    await expect(conversations.rename('bob', 'one', 'new')).rejects.toMatchObject({
      code: 'session_not_found',
    });
    const both = await Promise.allSettled([renamed(), taskOn(store).rename('alice', 'one', 'other')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    store.beforeDelete = () => {
      throw new Error('away for a moment');
    };
    await expect(conversations.delete('alice', 'one')).rejects.toThrow('away for a moment');
    await expect(renamed()).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('is deleted for good, but not while it answers', async () => {
    await say('hello');
    const turn = await begin('more');
    await expect(conversations.delete('alice', 'one')).rejects.toMatchObject({ code: 'session_busy' });
    await turn.finish({ outcome: 'success', messages: [] });
    await conversations.delete('alice', 'one');
    expect(ofUsers()).toEqual([]);
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
    expect(ofUsers()).toEqual([]);
    await expect(begin('more')).resolves.toBeDefined();
  });

  it('leaves nothing of a task whose claim lapsed before it was deleted', async () => {
    const zombie = await begin('OLD SECRET');
    die();
    await conversations.delete('alice', 'one');
    await expect(zombie.finish({ outcome: 'success', messages: [user('OLD SECRET')] })).rejects.toMatchObject(
      { code: 'session_busy' },
    );
    expect(ofUsers()).toEqual([]);
  });

  it('does not lose a turn that begins while it is being deleted', async () => {
    await say('hello');
    const [deleted, begun] = await Promise.allSettled([conversations.delete('alice', 'one'), begin('more')]);
    expect([deleted.status, begun.status].sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('shows the message of a turn that is in progress, and since when', async () => {
    await say('hello');
    const { claim } = await begin('and now?');
    expect(await conversations.read('alice', 'one', { limit: 9 })).toMatchObject({
      turns: [{ seq: 1 }],
      busy: true,
      running: { runId: claim.runId, startedAt: Date.now(), userText: 'and now?' },
    });
  });

  it('shows the message of a turn that died', async () => {
    await begin('hello');
    die();
    const read = await conversations.read('alice', 'one', { limit: 9 });
    expect(read).toMatchObject({ busy: false, turns: [{ outcome: 'abandoned', messages: [user('hello')] }] });
    expect(read).not.toHaveProperty('running');
  });

  it('is read across its segments, from any turn', async () => {
    for (let number = 1; number <= 40; number += 1) await say(String(number));
    const numbers = async (page: { before?: number; limit: number }): Promise<readonly number[]> =>
      (await conversations.read('alice', 'one', page)).turns.map(({ seq }) => seq);
    expect(await numbers({ limit: 10 })).toEqual([31, 32, 33, 34, 35, 36, 37, 38, 39, 40]);
    expect(await numbers({ limit: 4, before: 19 })).toEqual([15, 16, 17, 18]);
    expect(await numbers({ limit: 100, before: 3 })).toEqual([1, 2]);
    expect(await numbers({ limit: 100 })).toHaveLength(40);
    const { nextBefore } = await conversations.read('alice', 'one', { limit: 100 });
    expect(nextBefore).toBeUndefined();
  });

  it('asks two things of the store for a turn, and one more for a segment, however long it is', async () => {
    await say('first');
    const counts: number[] = [];
    let requests = 0;
    store.beforePut = () => (requests += 1);
    const get = jest.spyOn(store, 'get');
    for (let index = 0; index < 100; index += 1) {
      requests = 0;
      await say('x'.repeat(5_000));
      counts.push(requests);
    }
    expect(get).not.toHaveBeenCalled();
    expect(counts.filter((count) => count === 2)).toHaveLength(94);
    expect(counts.filter((count) => count === 3)).toHaveLength(6);
    expect(JSON.stringify(workingSet()).length).toBeLessThan(420_000);
  });
});
