import { describe, expect, it } from '@jest/globals';
import { UserKeys } from './keys.js';

describe('UserKeys', () => {
  const keys = new UserKeys('älice/../bob');
  const prefix = 'users/w6RsaWNlLy4uL2JvYg/';

  it.each([
    ['the list', keys.linePrefix(), 'index/'],
    ['a line of the list', keys.line('8-a_B-1'), 'index/8-a_B-1'],
    ['a line of an older version', keys.olderLine('a_B-1'), 'index/a_B-1.json'],
    ['a run that is followed', keys.copyOfRun('a_B-1'), 'sessions/a_B-1/run.json'],
    ['a conversation', keys.session('a_B-1'), 'sessions/a_B-1/'],
    ['its working set', keys.workingSet('a_B-1'), 'sessions/a_B-1/working-set.json'],
    ['a segment, in the order of the turns', keys.segment('a_B-1', 12), 'sessions/a_B-1/turns/00000012.json'],
  ])("are all under the user's prefix: %s", (_name, key, rest) => {
    expect(key).toBe(prefix + rest);
  });

  it('take an id of 64 characters', () => {
    expect(keys.session('x'.repeat(64))).toContain('x'.repeat(64));
  });

  it.each(['', 'a/b', '../x', 'x\n', ' x', 'x'.repeat(65)])('take no id that leads elsewhere: %j', (id) => {
    const refused = expect.objectContaining({ code: 'invalid_request', reason: 'session_id' });
    for (const key of [() => keys.olderLine(id), () => keys.workingSet(id), () => keys.segment(id, 1)])
      expect(key).toThrow(refused);
  });

  it('need a subject', () => {
    expect(() => new UserKeys('')).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
  });
});
