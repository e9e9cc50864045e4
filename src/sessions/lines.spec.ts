import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { recordedLog } from '../common/logging/testing/recorded-log.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { newWorkingSet } from './claim.js';
import type { WorkingSet } from './conversation.js';
import type { Conversations } from './conversations.js';
import { UserKeys } from './keys.js';
import { lineAt, lineFrom, Lines, noteOf, type Page } from './lines.js';
import { begun, taskOn } from './testing/tasks.js';

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const keys = new UserKeys('alice');

describe('the list of conversations', () => {
  let store: MemoryStore;
  let conversations: Conversations;

  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
    recordedLog();
    store = new MemoryStore();
    conversations = taskOn(store);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const say = async (id: string, text = id): Promise<void> => {
    const turn = await begun(conversations, text, { id });
    await turn.finish({ outcome: 'success', messages: [] });
    jest.advanceTimersByTime(MINUTE);
  };
  const page = (limit = 10, after?: string): Promise<Page> => new Lines(store, keys).page(limit, after);
  const ids = async (limit = 10): Promise<readonly string[]> =>
    (await page(limit)).sessions.map(({ sessionId }) => sessionId);
  const lines = (): readonly string[] =>
    [...store.objects.keys()].filter((key) => key.includes('/index/')).map((key) => keys.nameOf(key));
  const put = (key: string, value: object, note?: string): Promise<unknown> =>
    store.put(key, JSON.stringify(value), { always: true }, note === undefined ? {} : { note });

  it('is in the order of the last turns, the latest first, with what is known of each', async () => {
    for (const id of ['a', 'b', 'c', 'a']) await say(id);
    const { sessions, next } = await page();
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual(['a', 'c', 'b']);
    expect(next).toBeUndefined();
    expect(sessions[0]).toStrictEqual({
      sessionId: 'a',
      title: 'a',
      createdAt: new Date(NOW).toISOString(),
      updatedAt: new Date(NOW + 3 * MINUTE).toISOString(),
    });
  });

  it('is exact within a page, although a line moves once a minute', async () => {
    for (const id of ['a', 'b'])
      await (await begun(conversations, id, { id })).finish({ outcome: 'success', messages: [] });
    jest.advanceTimersByTime(1_000);
    await (await begun(conversations, 'again', { id: 'a' })).finish({ outcome: 'success', messages: [] });
    expect(await ids()).toEqual(['a', 'b']);
  });

  it('comes in pages, each of the same number of requests', async () => {
    for (let number = 0; number < 23; number += 1) await say(`c${String(number)}`);
    const [list, head, get] = [
      jest.spyOn(store, 'list'),
      jest.spyOn(store, 'head'),
      jest.spyOn(store, 'get'),
    ];
    const all: string[] = [];
    let after: string | undefined;
    do {
      const { sessions, next } = await page(5, after);
      all.push(...sessions.map(({ sessionId }) => sessionId));
      after = next;
    } while (after !== undefined);
    expect(all).toEqual(Array.from({ length: 23 }, (_, index) => `c${String(22 - index)}`));
    expect([list.mock.calls.length, head.mock.calls.length, get.mock.calls.length]).toEqual([5, 23, 0]);
  });

  it('does not show what is deleted, also where that failed half-way', async () => {
    await say('a');
    await say('b');
    store.beforeDelete = () => {
      throw new Error('away');
    };
    await expect(conversations.delete('alice', 'a')).rejects.toThrow('away');
    expect(await ids()).toEqual(['b']);
    store.beforeDelete = () => undefined;
    await conversations.delete('alice', 'a');
    expect(lines()).toHaveLength(1);
  });

  describe('after a task that died', () => {
    it('has a conversation once, although its former line is still there', async () => {
      for (const id of ['a', 'b', 'a']) await say(id);
      const former = keys.line(lineAt(NOW, 'a'));
      await put(former, {});
      expect(await ids()).toEqual(['a', 'b']);
      expect(store.objects.has(former)).toBe(true);
      jest.advanceTimersByTime(HOUR + 1_000);
      expect(await ids()).toEqual(['a', 'b']);
      expect(store.objects.has(former)).toBe(false);
    });

    it('has a conversation whose new line was not written', async () => {
      await say('a');
      const set = JSON.parse(store.objects.get(keys.workingSet('a'))?.text ?? '') as WorkingSet;
      const moved: WorkingSet = { ...set, line: lineAt(NOW + MINUTE, 'a') };
      await put(keys.workingSet('a'), moved, noteOf(moved));
      expect(await ids()).toEqual(['a']);
      expect(lines()).toContain(`index/${lineAt(NOW + MINUTE, 'a')}`);
      expect(await ids()).toEqual(['a']);
    });

    it('has no conversation for a line alone', async () => {
      await put(keys.line(lineAt(NOW, 'none')), {});
      await put(keys.line('no id of any'), {});
      expect(await page()).toEqual({ sessions: [] });
    });
  });

  it('has the conversations of older versions, and moves their lines', async () => {
    const {
      line: _,
      recent: __,
      ...older
    } = { ...newWorkingSet('old', { kind: 'message', text: 'Old' }), line: '' };
    await put(keys.workingSet('old'), { ...older, version: 2 });
    await put(keys.olderLine('old'), {});
    jest.advanceTimersByTime(MINUTE);
    await say('new');
    expect(await ids()).toEqual(['new', 'old']);
    expect(lines()).toContain(`index/${lineAt(NOW, 'old')}`);
    expect(await ids()).toEqual(['new', 'old']);
  });

  it('has a conversation that cannot be read by its id alone', async () => {
    await say('a');
    await put(keys.workingSet('a'), { version: 9 });
    const at = expect.any(String);
    expect((await page()).sessions).toEqual([{ sessionId: 'a', title: '', createdAt: at, updatedAt: at }]);
  });

  it('keeps a line for a minute', () => {
    const set = newWorkingSet('a', { kind: 'message', text: 'hello' });
    const line = lineFrom(set, NOW);
    expect(line).toBe(lineAt(NOW, 'a'));
    expect(lineFrom({ ...set, line }, NOW + MINUTE - 1)).toBe(line);
    expect(lineFrom({ ...set, line }, NOW + MINUTE)).toBe(lineAt(NOW + MINUTE, 'a'));
  });
});
