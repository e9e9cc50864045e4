import { describe, expect, it } from '@jest/globals';
import type { Item } from './items.ts';
import { spokenSentences, type Spoken } from './spoken.ts';

const NOTHING: Spoken = { id: undefined, length: 0 };
const answer = (text: string, isOpen: boolean, id = 'a'): Item => ({ kind: 'answer', id, text, isOpen });

describe('spokenSentences', () => {
  it('tells whole sentences while an answer is written, each once, and then the rest', () => {
    const whole = 'Line 3 comes at 10.30. It is late! Take\n- line 4';
    const told: string[] = [];
    let spoken = NOTHING;
    for (let length = 1; length <= whole.length; length += 1) {
      const { text, now } = spokenSentences([answer(whole.slice(0, length), true)], spoken);
      if (text !== '') told.push(text);
      spoken = now;
    }
    expect(told).toEqual(['Line 3 comes at 10.30.', 'It is late!', 'Take']);
    expect(spokenSentences([answer(whole, false)], spoken).text).toBe('line 4');
  });

  it('begins anew with another answer, and leaves the marks of Markdown out', () => {
    const { now } = spokenSentences([answer('One. Two', false)], NOTHING);
    const items = [answer('One. Two', false), answer('**Bold** and `code`', false, 'b')];
    expect(spokenSentences(items, now).text).toBe('Bold and code');
  });

  it('tells nothing where there is no answer, or nothing new', () => {
    expect(spokenSentences([{ kind: 'user', id: 'u', text: 'Hi.' }], NOTHING)).toEqual({
      text: '',
      now: NOTHING,
    });
    const { now } = spokenSentences([answer('One.', false)], NOTHING);
    expect(spokenSentences([answer('One.', false)], now).text).toBe('');
  });
});
