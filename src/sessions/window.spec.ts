import { describe, expect, it } from '@jest/globals';
import type { StoredMessage } from './content.js';
import { windowOf } from './window.js';
import { assistant, user } from './testing/messages.js';

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
