import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../common/errors/index.js';
import { recordedLog, type LoggedLine } from '../common/logging/testing/recorded-log.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import type { WorkingSet } from './conversation.js';
import type { Conversations } from './conversations.js';
import { UserKeys } from './keys.js';
import { pending, user } from './testing/messages.js';
import { begun, taskOn } from './testing/tasks.js';
import type { Turn } from './turn.js';

const set = new UserKeys('alice').workingSet('one');
const unavailable = new AppError('sessions_unavailable', { reason: 'PutObject' });

describe('a turn', () => {
  let store: MemoryStore;
  let task: Conversations;
  let log: readonly LoggedLine[];

  beforeEach(() => {
    jest.useFakeTimers();
    store = new MemoryStore();
    task = taskOn(store);
    log = recordedLog();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const say = (text: string, runId?: string): Promise<Turn> =>
    begun(task, text, runId === undefined ? {} : { runId });
  const resume = (interruptIds: readonly string[]): Promise<Turn> =>
    begun(task, { kind: 'resume', interruptIds });
  const done = (turn: Turn, text = 'x'): Promise<void> =>
    turn.finish({ outcome: 'success', messages: [user(text)] });
  const workingSet = (): WorkingSet => JSON.parse(store.objects.get(set)?.text ?? 'null') as WorkingSet;
  const failOn = (part: string): void => {
    store.beforePut = (key) => {
      if (key.includes(part)) throw unavailable;
    };
  };
  const loseAnswers = (part: string): void => {
    store.afterPut = (key) => {
      if (key.includes(part)) throw unavailable;
    };
  };
  const recover = (): void => {
    store.beforePut = () => undefined;
    store.afterPut = () => undefined;
  };

  describe('that cannot be stored', () => {
    const late = (): unknown[] => log.map(({ fields }) => fields);

    it('is stored later, and its conversation stays claimed until then', async () => {
      const turn = await say('hello');
      failOn('working-set');
      await expect(done(turn, 'hello')).rejects.toBe(unavailable);
      await jest.advanceTimersByTimeAsync(5_000);
      await expect(say('next')).rejects.toMatchObject({ code: 'session_busy' });
      recover();
      await jest.advanceTimersByTimeAsync(10_000);
      expect(workingSet()).toMatchObject({ turns: 1, recent: [{ messages: [user('hello')] }] });
      expect(late()).toEqual([{ event: 'written_late', what: 'turn', afterMs: 8_500 }]);
      expect((await say('next')).messages).toEqual([user('hello')]);
    });

    it('is not stored twice where it had been stored, and only the answer was lost', async () => {
      const turn = await say('hello');
      store.afterPut = () => {
        throw unavailable;
      };
      await expect(done(turn, 'hello')).rejects.toBe(unavailable);
      recover();
      await jest.advanceTimersByTimeAsync(500);
      expect(workingSet()).toMatchObject({ turns: 1 });
      expect(late()).toMatchObject([{ event: 'written_late' }]);
      await expect(say('next')).resolves.toBeDefined();
    });

    it('is given up where another turn has taken over', async () => {
      const turn = await say('hello');
      failOn('working-set');
      await expect(done(turn)).rejects.toBe(unavailable);
      recover();
      await store.put(set, JSON.stringify({ ...workingSet(), claim: undefined }), { always: true });
      await jest.advanceTimersByTimeAsync(500);
      expect(late()).toMatchObject([
        { event: 'late_write_failed', what: 'turn', error: 'AppError' },
        { event: 'not_written', what: 'turn', afterMs: 500 },
      ]);
      expect(workingSet().turns).toBe(0);
    });

    it('is given up when the process ends, four seconds after that', async () => {
      const turn = await say('hello');
      failOn('working-set');
      await expect(done(turn)).rejects.toBe(unavailable);
      const ended = task.beforeApplicationShutdown();
      await jest.advanceTimersByTimeAsync(3_999);
      expect(late()).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      await ended;
      expect(late()).toMatchObject([{ event: 'not_written', what: 'turn', afterMs: 4_000 }]);
    });
  });

  describe('that could not start', () => {
    it.each([
      ['of its claim', 'working-set'],
      ['of its line in the list', '/index/'],
    ])('says why, and takes back what the store may have %s', async (_name, part) => {
      loseAnswers(part);
      await expect(say('hello')).rejects.toBe(unavailable);
      recover();
      await jest.advanceTimersByTimeAsync(500);
      expect([...store.objects.keys()].filter((key) => key.includes('/sessions/'))).toEqual([]);
      await expect(say('again')).resolves.toBeDefined();
    });

    it('leaves a conversation as it was, with its paused run', async () => {
      await (await say('hello')).finish({ outcome: 'interrupt', messages: [], pending });
      const { lastRun: _, ...before } = workingSet();
      loseAnswers('working-set');
      await expect(resume(['interrupt-1', 'interrupt-2'])).rejects.toBe(unavailable);
      recover();
      await jest.advanceTimersByTimeAsync(500);
      expect(workingSet()).toStrictEqual(before);
    });

    it('leaves a claim alone that is not its own', async () => {
      await done(await say('hello'));
      loseAnswers('working-set');
      await expect(say('mine', 'mine')).rejects.toBe(unavailable);
      recover();
      const claim = { ...workingSet().claim, runId: 'other' };
      await store.put(set, JSON.stringify({ ...workingSet(), claim }), { always: true });
      await jest.advanceTimersByTimeAsync(500);
      expect(workingSet().claim).toMatchObject({ runId: 'other' });
    });

    it('can be abandoned', async () => {
      await (await say('hello')).abandon();
      expect([...store.objects.keys()].filter((key) => key.startsWith('users/'))).toEqual([]);
      await done(await say('hello'));
      const before = workingSet();
      await (await say('again')).abandon();
      expect(workingSet()).toMatchObject({ recent: before.recent, turns: 1 });
      expect(workingSet()).not.toHaveProperty('claim');
    });

    it('is abandoned later where the store does not answer', async () => {
      await done(await say('hello'));
      const turn = await say('again');
      failOn('working-set');
      const abandoned = turn.abandon();
      await jest.advanceTimersByTimeAsync(600);
      recover();
      await jest.advanceTimersByTimeAsync(1_000);
      await abandoned;
      expect(workingSet()).not.toHaveProperty('claim');
    });
  });
});
