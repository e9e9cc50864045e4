import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { partsOn, type Task } from './testing/tasks.js';

const RUN = { sub: 'älice/..', sessionId: 'one', runId: 'run:1.x' };

describe('the runs that tasks share', () => {
  let store: MemoryStore;
  let owner: Task;
  let other: Task;

  beforeEach(() => {
    store = new MemoryStore();
    [owner, other] = [partsOn(store), partsOn(store)];
  });

  it('are asked for at the task that has them, each wish once', async () => {
    await other.shared.ask(owner.task, 'follow', RUN);
    await other.shared.ask(owner.task, 'follow', RUN);
    await other.shared.ask(owner.task, 'stop', RUN);
    expect(await other.shared.wishes()).toEqual([]);
    expect(await owner.shared.wishes()).toEqual([
      { what: 'follow', ...RUN },
      { what: 'stop', ...RUN },
    ]);
    expect(await owner.shared.wishes()).toEqual([]);
    expect([...store.objects.keys()]).toEqual([]);
  });

  it('are not asked for by an object that is no wish', async () => {
    for (const name of ['dance/YQ/Yg/Yw', 'stop/YQ/Yg', 'stop/YQ/Yg/Yw/ZA'])
      await store.put(`tasks/${owner.task}/wishes/${name}`, '{}', { always: true });
    expect(await owner.shared.wishes()).toEqual([]);
    expect(store.objects.size).toBe(0);
  });

  it('are published as far as they have come', async () => {
    expect(await other.shared.published(RUN)).toEqual({ events: [], hasEnded: false });
    await owner.shared.publish(RUN, ['a'], false);
    await owner.shared.publish(RUN, ['a', 'b'], true);
    expect(await other.shared.published(RUN)).toMatchObject({ events: ['a', 'b'], hasEnded: true });
    expect([...store.objects.keys()]).toEqual(['users/w6RsaWNlLy4u/sessions/one/run.json']);
  });

  it('are not published under the name of another run, nor where that cannot be read', async () => {
    await owner.shared.publish(RUN, ['a'], true);
    const nothing = { events: [], hasEnded: false };
    expect(await other.shared.published({ ...RUN, runId: 'run-2' })).toEqual(nothing);
    await store.put('users/w6RsaWNlLy4u/sessions/one/run.json', '{"runId":"run:1.x"}', { always: true });
    expect(await other.shared.published(RUN)).toEqual(nothing);
  });
});
