import { beforeEach, describe, expect, it } from '@jest/globals';
import { newWorkingSet } from './claim.js';
import type { WorkingSet } from './conversation.js';
import { KnownSets } from './known-sets.js';

const setOf = (title = ''): WorkingSet => ({
  ...newWorkingSet('one', { kind: 'message', text: 'hello' }),
  createdAt: 1,
  updatedAt: 1,
  title,
});

describe('the working sets that a task knows', () => {
  let known: KnownSets;

  beforeEach(() => {
    known = new KnownSets();
  });

  const remember = (key: string, set: WorkingSet, version: string): void => {
    known.remember(key, { set, version, bytes: JSON.stringify(set).length });
  };

  it('are taken once', () => {
    remember('a', setOf(), '1');
    expect(known.peek('a')).toEqual(setOf());
    expect(known.take('a')).toMatchObject({ set: setOf(), version: '1' });
    expect(known.peek('a')).toBeUndefined();
    expect(known.take('a')).toBeUndefined();
  });

  it('are the latest ones', () => {
    remember('a', setOf('old'), '1');
    remember('a', setOf('new'), '2');
    expect(known.take('a')).toMatchObject({ version: '2', set: { title: 'new' } });
  });

  it('can be forgotten', () => {
    remember('a', setOf(), '1');
    known.forget('a');
    known.forget('never known');
    expect(known.take('a')).toBeUndefined();
  });

  it('are not relied on while another task serves them too', () => {
    known.share('a');
    remember('a', setOf(), '1');
    expect(known.take('a')).toBeUndefined();
    known.seen('a', 'written by another task');
    expect(known.take('a')).toBeUndefined();
    known.seen('a', '1');
    expect(known.take('a')).toMatchObject({ version: '1' });
  });

  it('take 64 MB at most: the oldest go first', () => {
    const large = 'x'.repeat(20_000_000);
    for (const key of ['a', 'b', 'c', 'd']) remember(key, setOf(large), key);
    expect(known.take('a')).toBeUndefined();
    for (const key of ['b', 'c', 'd']) expect(known.take(key)).toMatchObject({ version: key });
    // All that was taken or forgotten counts no more.
    for (const key of ['e', 'f', 'g']) remember(key, setOf(large), key);
    expect(known.take('e')).toMatchObject({ version: 'e' });
  });

  it('are shared by ten thousand at most', () => {
    for (let number = 0; number <= 10_000; number += 1) known.share(String(number));
    for (const key of ['0', '1']) remember(key, setOf(), key);
    expect(known.take('0')).toMatchObject({ version: '0' });
    expect(known.take('1')).toBeUndefined();
  });
});
