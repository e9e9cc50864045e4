import { describe, expect, it } from '@jest/globals';
import type { StoredMessage } from './content.js';
import { newWorkingSet } from './claim.js';
import type { WorkingSet } from './conversation.js';
import { leavingMessages, shownMessages, summarised, trimmed, windowOf as windowWithin } from './window.js';
import { assistant, user } from './testing/messages.js';

const windowOf = (messages: readonly StoredMessage[]): StoredMessage[] =>
  windowWithin(messages, { messages: 60, bytes: 200_000 });

const result: StoredMessage = {
  role: 'user',
  content: [{ toolResult: { toolUseId: 'a', status: 'success', content: [] } }],
};

describe('windowOf', () => {
  it('keeps a short conversation whole', () => {
    const messages = [user('a'), assistant('b')];
    expect(windowOf(messages)).toEqual(messages);
    expect(windowOf([])).toEqual([]);
  });

  it('begins at a message of the user, never at a tool result', () => {
    const messages = [
      ...Array.from({ length: 57 }, (_, n) => (n % 2 === 0 ? user('x') : assistant('y'))),
      assistant('call'),
      result,
      assistant('z'),
      user('now'),
      assistant('end'),
    ];
    const window = windowOf(messages);
    expect(window.length).toBeLessThanOrEqual(60);
    expect(window[0]).toEqual(user('x'));
  });

  it('is bounded in bytes, but keeps the last exchange whole', () => {
    const big = 'x'.repeat(90_000);
    expect(windowOf([user(big), assistant('a'), user(big), assistant('b'), user(big)])).toHaveLength(3);
    const large = [user('a'), assistant('b'), user('c'), assistant(big.repeat(3)), result];
    expect(windowOf(large)).toEqual(large.slice(2));
  });

  it('keeps 60 messages', () => {
    const messages = Array.from({ length: 62 }, (_, n) => (n % 2 === 0 ? user(String(n)) : assistant('y')));
    expect(windowOf(messages)).toEqual(messages.slice(2));
    expect(windowOf(messages.slice(2))).toHaveLength(60);
  });

  const sized = (bytes: number): StoredMessage => {
    const empty = Buffer.byteLength(JSON.stringify(user('')));
    return user('x'.repeat(bytes - empty));
  };

  it.each([
    [200_000, 2],
    [200_001, 1],
  ])('of two messages of %i bytes keeps %i', (bytes, kept) => {
    expect(windowOf([sized(bytes - 100), sized(100)])).toHaveLength(kept);
  });

  it('counts bytes, not characters', () => {
    const message = user('é'.repeat(75_000));
    expect(windowOf([message, message])).toHaveLength(1);
  });

  it('takes no message with a tool result for a message of the user', () => {
    const mixed: StoredMessage = {
      role: 'user',
      content: [{ text: 'b' }, { toolResult: { toolUseId: 'a', status: 'success', content: [] } }],
    };
    const big = assistant('x'.repeat(150_000));
    expect(windowOf([user('a'), big, mixed, big, mixed])).toHaveLength(5);
    expect(windowOf([user('a'), big, user('b'), big, mixed])).toHaveLength(3);
  });

  it('takes no message of the assistant for a message of the user', () => {
    const big = assistant('x'.repeat(90_000));
    expect(windowOf([user('a'), big, big, big])).toHaveLength(4);
  });

  it('keeps everything where the user has said nothing', () => {
    expect(windowOf([assistant('a'), result])).toHaveLength(2);
  });
});

describe('a working set', () => {
  /** Exchanges of two messages, the last ones of them in recent turns. */
  const setOf = (exchanges: number, recent = 0, bytes = 0): WorkingSet => {
    const exchange = (n: number): StoredMessage[] => [
      user(`question ${String(n)}`),
      assistant('y'.repeat(bytes)),
    ];
    const times = { startedAt: 0, endedAt: 0, outcome: 'success' } as const;
    return {
      ...newWorkingSet('one', { kind: 'message', text: 'question 0' }),
      turns: exchanges,
      messages: Array.from({ length: exchanges - recent }, (_, n) => exchange(n)).flat(),
      recent: Array.from({ length: recent }, (_, n) => {
        const seq = exchanges - recent + n + 1;
        return { seq, runId: `run-${String(seq)}`, messages: exchange(seq - 1), ...times };
      }),
    };
  };
  const first = (messages: readonly StoredMessage[]): unknown => messages[0];

  it.each([
    [30, 0, 0],
    [31, 0, 32],
    [60, 0, 90],
    [2, 99_900, 0],
    [3, 90_000, 4],
  ])('of %i exchanges with answers of %i bytes has %i messages to summarise', (exchanges, bytes, leaving) => {
    const set = setOf(exchanges, 0, bytes);
    expect(leavingMessages(set)).toHaveLength(leaving);
    expect(leavingMessages(set)).toEqual(shownMessages(set).slice(0, leaving));
  });

  it('leaves the last exchange where that alone is too large', () => {
    expect(leavingMessages(setOf(1, 1, 300_000))).toEqual([]);
  });

  it('shows 120 messages and 400 kB at most, where nothing is summarised', () => {
    expect(shownMessages(setOf(70))).toHaveLength(120);
    expect(shownMessages(setOf(5, 0, 99_000))).toHaveLength(8);
    expect(first(trimmed(setOf(70)).messages)).toEqual(user('question 10'));
  });

  it('shows the messages after a summary, and keeps no other ones', () => {
    const set = setOf(40);
    const leaving = leavingMessages(set);
    const after = summarised(set, 'So far.', leaving);
    expect(after?.earlier).toEqual({ text: 'So far.', messages: 50, ahead: 0, since: 41 });
    expect(after?.messages).toEqual(set.messages.slice(50));
    expect(after && shownMessages(after)).toEqual(set.messages.slice(50));
    expect(after && leavingMessages(after)).toEqual([]);
  });

  it('keeps the summarised messages of recent turns until those are moved', () => {
    const set = setOf(40, 40);
    const after = summarised(set, 'So far.', leavingMessages(set));
    expect(after).toMatchObject({ messages: [], recent: set.recent, earlier: { messages: 50, ahead: 50 } });
    if (after === undefined) return;
    expect(first(shownMessages(after))).toEqual(user('question 25'));
    const moved = { ...after, recent: [], messages: set.recent.flatMap(({ messages }) => messages) };
    expect(trimmed(moved)).toMatchObject({ earlier: { messages: 50, ahead: 0 } });
    expect(trimmed(moved).messages).toEqual(shownMessages(after));
  });

  it('takes a new summary in the place of the one before', () => {
    const once = summarised(setOf(40), 'One.', leavingMessages(setOf(40)));
    const grown = {
      ...setOf(60),
      ...once,
      turns: 60,
      messages: [...(once?.messages ?? []), ...setOf(30).messages],
    };
    const twice = summarised(grown, 'Two.', leavingMessages(grown));
    expect(twice?.earlier).toEqual({ text: 'Two.', messages: 50 + 60, ahead: 0, since: 61 });
    expect(twice?.messages).toHaveLength(30);
  });

  it('keeps a summary whose turns were added meanwhile', () => {
    const leaving = leavingMessages(setOf(31));
    expect(summarised(setOf(33), 'So far.', leaving)?.messages).toEqual(setOf(33).messages.slice(32));
  });

  it('takes no summary of other messages', () => {
    expect(summarised(setOf(40), 'Other.', [user('other')])).toBeUndefined();
    const once = summarised(setOf(40), 'One.', leavingMessages(setOf(40)));
    expect(once && summarised(once, 'Again.', leavingMessages(setOf(40)))).toBeUndefined();
  });
});
