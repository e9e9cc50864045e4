import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../../common/errors/index.js';
import { recordedLog, type LoggedLine } from '../../common/logging/testing/recorded-log.js';
import type { FoundRun } from '../../sessions/index.js';
import { user } from '../../sessions/testing/messages.js';
import { begun, partsOn, type Task } from '../../sessions/testing/tasks.js';
import { MemoryStore } from '../../storage/testing/memory-store.js';
import { OtherTasks } from './other-tasks.js';
import type { RunEvent } from './run-event.js';
import { RunLog } from './run-log.js';
import { storedRunEvent } from './stored-run-events.js';

const NAME = { sub: 'alice', sessionId: 'one', runId: 'run' };
const START: RunEvent = { kind: 'started' };
const TEXT: RunEvent = { kind: 'text', delta: 'hello' };
const END: RunEvent = { kind: 'finished', outcome: 'success' };

describe('the runs of other tasks', () => {
  let store: MemoryStore;
  let owner: Task;
  let here: Task;
  let others: OtherTasks;
  let gone: AbortController;
  let log: readonly LoggedLine[];

  beforeEach(() => {
    log = recordedLog();
    store = new MemoryStore();
    [owner, here] = [partsOn(store), partsOn(store)];
    others = new OtherTasks(here.conversations, here.shared);
    gone = new AbortController();
  });

  const read = async (found: FoundRun): Promise<RunEvent[]> => {
    const all: RunEvent[] = [];
    for await (const event of await others.follow(NAME, found, gone.signal)) all.push(event);
    return all;
  };
  const found = (): Promise<FoundRun> => here.conversations.run(NAME);
  const ended = (events?: readonly RunEvent[]): FoundRun => ({
    kind: 'ended',
    run: { runId: 'run', ...(events !== undefined && { events: events.map(storedRunEvent) }) },
  });

  it('that have ended are read from what is stored', async () => {
    expect(await read(ended([START, TEXT, END]))).toEqual([START, TEXT, END]);
  });

  it.each<[string, readonly RunEvent[] | undefined, readonly RunEvent[]]>([
    ['nothing', undefined, [START]],
    ['a beginning', [START, TEXT], [START, TEXT]],
  ])('that were lost end with that, after %s', async (_name, events, known) => {
    expect(await read(ended(events))).toMatchObject([
      ...known,
      { kind: 'failed', error: { code: 'run_lost' } },
    ]);
  });

  it('that go on are asked for, and read as they are published', async () => {
    await begun(owner.conversations, 'hello', { runId: 'run' });
    const reading = read(await found());
    await delay(20);
    expect(await owner.shared.wishes()).toEqual([{ what: 'follow', ...NAME }]);
    await owner.shared.publish(NAME, [START].map(storedRunEvent), false);
    await delay(600);
    await owner.shared.publish(NAME, [START, TEXT, END].map(storedRunEvent), true);
    expect(await reading).toEqual([START, TEXT, END]);
  });

  it('that end without having been published are read from their turn', async () => {
    const turn = await begun(owner.conversations, 'hello', { runId: 'run' });
    const reading = read(await found());
    const events = [START, TEXT, END].map(storedRunEvent);
    await turn.finish({ outcome: 'success', messages: [user('hello')], events });
    expect(await reading).toEqual([START, TEXT, END]);
  });

  it('whose task has died end with what it had published', async () => {
    await begun(owner.conversations, 'hello', { runId: 'run' });
    const reading = read(await found());
    await owner.shared.publish(NAME, [START, TEXT].map(storedRunEvent), false);
    store.head = () => Promise.resolve({ ageMs: 7_000, note: undefined });
    const lost = { kind: 'failed', error: { code: 'run_lost' } };
    expect(await reading).toMatchObject([START, TEXT, lost]);
    expect(await read(await found())).toMatchObject([START, TEXT, lost]);
  });

  it('are read on when the store has not answered for a while', async () => {
    const turn = await begun(owner.conversations, 'hello', { runId: 'run' });
    const reading = read(await found());
    const get = jest.spyOn(store, 'get').mockRejectedValue(new AppError('sessions_unavailable'));
    await delay(2_600);
    get.mockRestore();
    await turn.finish({ outcome: 'success', messages: [], events: [START, END].map(storedRunEvent) });
    expect(await reading).toEqual([START, END]);
  });

  it('end as lost where their conversation is deleted', async () => {
    await begun(owner.conversations, 'hello', { runId: 'run' });
    const reading = read(await found());
    await owner.shared.publish(NAME, [START, TEXT].map(storedRunEvent), false);
    await delay(600);
    const working = [...store.objects.keys()].filter((key) => key.endsWith('working-set.json'));
    for (const key of working) store.objects.delete(key);
    expect(await reading).toMatchObject([START, TEXT, { kind: 'failed', error: { code: 'run_lost' } }]);
  });

  it.each([['a new'], ['an older']])(
    'can be tried again where the claim was given back before they began, in %s conversation',
    async (which) => {
      if (which === 'an older') {
        const first = await begun(owner.conversations, 'first', { runId: 'first' });
        await first.finish({ outcome: 'success', messages: [user('first')] });
      }
      const turn = await begun(owner.conversations, 'hello', { runId: 'run' });
      const reading = read(await found());
      await turn.abandon();
      const told = { kind: 'failed', error: { code: 'sessions_unavailable' } };
      expect(await reading).toMatchObject([told]);
    },
  );

  it('are not read any more when the reader has gone', async () => {
    await begun(owner.conversations, 'hello', { runId: 'run' });
    const reading = read(await found());
    gone.abort();
    expect(await reading).toEqual([]);
  });

  it('are stopped where they are, and left alone when they have ended', async () => {
    const turn = await begun(owner.conversations, 'hello', { runId: 'run' });
    await others.stop(NAME);
    expect(await owner.shared.wishes()).toEqual([{ what: 'stop', ...NAME }]);
    await turn.finish({ outcome: 'success', messages: [] });
    await others.stop(NAME);
    expect(await owner.shared.wishes()).toEqual([]);
    await expect(others.stop({ ...NAME, runId: 'none' })).rejects.toMatchObject({ code: 'run_not_found' });
    await expect(others.stop({ ...NAME, sub: 'bob' })).rejects.toMatchObject({ code: 'session_not_found' });
  });

  describe('and those of this task for others', () => {
    let next: (event: RunEvent | undefined) => void;

    async function* run(): AsyncGenerator<RunEvent, void, undefined> {
      for (;;) {
        const { promise, resolve } = Promise.withResolvers<RunEvent | undefined>();
        next = resolve;
        const event = await promise;
        if (event === undefined) return;
        yield event;
      }
    }
    const say = async (event?: RunEvent): Promise<void> => {
      next(event);
      await delay(5);
    };

    it('are published until their end, once for all who follow', async () => {
      const puts = jest.spyOn(store, 'put');
      const runLog = new RunLog(run());
      await say(START);
      const publishing = Promise.all([others.publish(NAME, runLog), others.publish(NAME, runLog)]);
      await delay(50);
      expect(await owner.shared.published(NAME)).toMatchObject({ events: [START], hasEnded: false });
      await delay(600);
      expect(puts).toHaveBeenCalledTimes(1);
      await say(END);
      await say();
      await publishing;
      expect(await owner.shared.published(NAME)).toMatchObject({ events: [START, END], hasEnded: true });
      expect(puts).toHaveBeenCalledTimes(2);
    });

    it('are published later where the store fails, which is logged', async () => {
      const runLog = new RunLog(run());
      await say(START);
      store.beforePut = () => {
        throw new AppError('sessions_unavailable');
      };
      const publishing = others.publish(NAME, runLog);
      await delay(50);
      store.beforePut = () => undefined;
      await delay(600);
      expect(await owner.shared.published(NAME)).toMatchObject({ events: [START] });
      expect(log).toMatchObject([
        { level: 'warn', fields: { event: 'run_not_published', error: 'AppError' } },
      ]);
      await say();
      await publishing;
    });
  });
});
