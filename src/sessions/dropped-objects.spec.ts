import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../common/errors/index.js';
import { recordedLog, type LoggedLine } from '../common/logging/testing/recorded-log.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { DroppedObjects } from './dropped-objects.js';

describe('objects that nobody needs', () => {
  let deleted: (readonly string[])[];
  let store: MemoryStore;
  let dropped: DroppedObjects;
  let log: readonly LoggedLine[];

  beforeEach(() => {
    jest.useFakeTimers();
    log = recordedLog();
    deleted = [];
    store = new MemoryStore();
    store.delete = (keys) => {
      deleted.push(keys);
      return Promise.resolve();
    };
    dropped = new DroppedObjects(store);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('are deleted together, ten seconds after the first', () => {
    dropped.add('a');
    jest.advanceTimersByTime(9_999);
    dropped.add('b');
    expect(deleted).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(deleted).toEqual([['a', 'b']]);
    dropped.add('c');
    jest.advanceTimersByTime(10_000);
    expect(deleted).toEqual([['a', 'b'], ['c']]);
  });

  it('are deleted at once when they are five hundred', () => {
    for (let number = 0; number < 499; number += 1) dropped.add(String(number));
    expect(deleted).toEqual([]);
    dropped.add('last');
    expect(deleted).toHaveLength(1);
    expect(deleted[0]).toHaveLength(500);
    jest.advanceTimersByTime(10_000);
    expect(deleted).toHaveLength(1);
  });

  it('are left to others where the store fails, which is logged', async () => {
    store.delete = () => Promise.reject(new AppError('sessions_unavailable'));
    dropped.add('a');
    await dropped.flush();
    expect(log).toMatchObject([
      { level: 'warn', fields: { event: 'objects_not_dropped', count: 1, error: 'AppError' } },
    ]);
  });
});
