import { describe, expect, it } from '@jest/globals';
import { newWorkingSet } from './claim.js';
import type { TurnRecord, WorkingSet } from './conversation.js';
import { movedToSegment } from './segments.js';
import { user } from './testing/messages.js';

const turnOf = (seq: number, text = 'hello'): TurnRecord => ({
  seq,
  runId: `run-${String(seq)}`,
  startedAt: 0,
  endedAt: 1,
  outcome: 'success',
  messages: [user(text)],
});
const setOf = (...recent: TurnRecord[]): WorkingSet => ({
  ...newWorkingSet('one', { kind: 'message', text: 'hello' }),
  turns: recent.at(-1)?.seq ?? 0,
  messages: [user('before')],
  recent,
});
const turns = (count: number, from = 1): TurnRecord[] =>
  Array.from({ length: count }, (_, index) => turnOf(from + index));

describe('turns', () => {
  it.each([0, 1, 16])('stay in the working set while they are few: %i', (count) => {
    expect(movedToSegment(setOf(...turns(count)))).toBeUndefined();
  });

  it('move to a segment when they are seventeen, all but the last one', () => {
    const set = setOf(...turns(17, 33));
    expect(movedToSegment(set)).toStrictEqual({
      last: 48,
      segment: { version: 3, turns: turns(16, 33) },
      set: {
        ...set,
        recent: [turnOf(49)],
        messages: [user('before'), ...Array.from({ length: 16 }, () => user('hello'))],
      },
    });
  });

  it.each([
    ['below', 127_000, undefined],
    ['above', 129_000, 1],
  ])('move when they are large: %s 256 kB', (_name, size, last) => {
    const large = 'x'.repeat(size);
    expect(movedToSegment(setOf(turnOf(1, large), turnOf(2, large)))?.last).toBe(last);
  });

  it('stay where there is only one, however large it is', () => {
    expect(movedToSegment(setOf(turnOf(1, 'x'.repeat(300_000))))).toBeUndefined();
  });
});
