import { describe, expect, it } from '@jest/globals';
import type { StoredMessage } from './conversation.js';
import { windowOf } from './window.js';

const user = (text: string): StoredMessage => ({ role: 'user', content: [{ text }] });
const assistant = (text: string): StoredMessage => ({ role: 'assistant', content: [{ text }] });
const result: StoredMessage = { role: 'user', content: [{ toolResult: { toolUseId: 'a', content: [] } }] };

describe('windowOf', () => {
  it('keeps a short conversation whole', () => {
    const messages = [user('a'), assistant('b')];
    expect(windowOf(messages)).toEqual(messages);
    expect(windowOf([])).toEqual([]);
  });

  it('begins at words of the user, never at a tool result', () => {
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
});
