import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../common/errors/index.js';
import { recordedLog } from '../common/logging/testing/recorded-log.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import type { TurnInput } from './claim.js';
import type { PendingRun, WorkingSet } from './conversation.js';
import type { Conversations } from './conversations.js';
import { UserKeys } from './keys.js';
import { lineAt } from './lines.js';
import { assistant, consentInterrupt, user } from './testing/messages.js';
import { begun, taskOn } from './testing/tasks.js';
import type { Turn } from './turn.js';

const NOW = Date.UTC(2026, 0, 1);
const DEAD = 7_000;
const keys = new UserKeys('alice');
const set = keys.workingSet('one');
const LINE = lineAt(NOW, 'one');
const pending: PendingRun = {
  interrupts: [consentInterrupt(1, 'a')],
  snapshot: { any: 'thing' },
  resumable: true,
};
const unavailable = new AppError('sessions_unavailable', { reason: 'PutObject' });

describe('Turn', () => {
  let store: MemoryStore;
  let task: Conversations;
  let runs: number;

  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
    store = new MemoryStore();
    task = taskOn(store);
    recordedLog();
    runs = 0;
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** `run` for the first one: an id names one run. */
  const nextRun = (): string => {
    runs += 1;
    return runs === 1 ? 'run' : `run-no-${String(runs)}`;
  };
  const say = (text: string, runId = nextRun(), by = task): Promise<Turn> => begun(by, text, { runId });
  const resume = (interruptIds: readonly string[], runId = nextRun(), by = task): Promise<Turn> =>
    begun(by, { kind: 'resume', interruptIds }, { runId });
  const beginBy = async (
    by: Conversations,
    text: string,
  ): Promise<{ readonly turn: Turn; readonly fromMemory: boolean }> => {
    const run = nextRun();
    const read = jest.spyOn(store, 'get').mockClear();
    const begun = await by.begin('alice', 'one', {
      runId: run,
      digest: run,
      input: { kind: 'message', text },
    });
    if (begun.kind !== 'new') throw new TypeError('the run has been there before');
    return { turn: begun.turn, fromMemory: read.mock.calls.length === 0 };
  };
  const stored = (key: string): unknown => JSON.parse(store.objects.get(key)?.text ?? 'null');
  const workingSet = (): WorkingSet => stored(set) as WorkingSet;
  const pass = (ms: number): void => {
    jest.advanceTimersByTime(ms);
  };
  const done = (turn: Turn, text = 'x'): Promise<void> =>
    turn.finish({ outcome: 'success', messages: [user(text)] });
  const failOn = (part: string, error: Error = unavailable): void => {
    store.beforePut = (key) => {
      if (key.includes(part)) throw error;
    };
  };
  const recover = (): void => {
    store.beforePut = () => undefined;
    store.afterPut = () => undefined;
  };
  /** The keys of all requests from now on, with their kind. */
  const requests = (): string[] => {
    const seen: string[] = [];
    store.beforePut = (key) => seen.push(`PUT ${keys.nameOf(key)}`);
    jest.spyOn(store, 'get').mockImplementation((key) => {
      seen.push(`GET ${keys.nameOf(key)}`);
      return Promise.resolve(store.objects.get(key));
    });
    return seen;
  };

  it('begins with a claim, and a line in the index', async () => {
    const turn = await say('hello');
    expect(workingSet()).toStrictEqual({
      version: 3,
      sessionId: 'one',
      createdAt: NOW,
      updatedAt: NOW,
      title: 'hello',
      line: LINE,
      turns: 0,
      interrupts: 0,
      messages: [],
      recent: [],
      claim: {
        seq: 1,
        runId: 'run',
        digest: 'run',
        task: expect.any(String),
        startedAt: NOW,
        userText: 'hello',
      },
    });
    expect(stored(keys.line(LINE))).toStrictEqual({});
    expect(turn).toMatchObject({ messages: [], interrupts: 0, pending: undefined, lost: { aborted: false } });
  });

  it('ends with its record and without its claim, in one write', async () => {
    const turn = await say('hello');
    pass(1_000);
    const messages = [user('hello'), assistant('hi')];
    const seen = requests();
    await turn.finish({ outcome: 'success', messages });
    expect(seen).toEqual(['PUT sessions/one/working-set.json']);
    const endedAt = NOW + 1_000;
    expect(workingSet()).toStrictEqual({
      version: 3,
      sessionId: 'one',
      createdAt: NOW,
      updatedAt: endedAt,
      title: 'hello',
      line: LINE,
      turns: 1,
      interrupts: 0,
      messages: [],
      recent: [{ seq: 1, runId: 'run', startedAt: NOW, endedAt, outcome: 'success', messages }],
      runIds: ['run'],
      lastRun: { runId: 'run', digest: 'run' },
    });
  });

  it('leaves a paused run in its record and in the conversation', async () => {
    await (await say('hello')).finish({ outcome: 'interrupt', messages: [user('hello')], pending });
    expect(workingSet()).toMatchObject({
      interrupts: 1,
      pending,
      recent: [{ outcome: 'interrupt', pending }],
    });
    const turn = await resume(['interrupt-1'], 'run-2');
    expect(turn).toMatchObject({ pending, interrupts: 1 });
    expect(workingSet().pending).toBeUndefined();
    expect(workingSet().claim).toMatchObject({ seq: 2, runId: 'run-2', pending });
    expect(workingSet().claim).not.toHaveProperty('userText');
    await turn.finish({ outcome: 'interrupt', messages: [], pending });
    expect(workingSet().interrupts).toBe(2);
  });

  it('says what is to be answered', async () => {
    const none = { detail: 'No interrupt is pending in this conversation. Send a message instead.' };
    await done(await say('a'));
    await expect(resume(['interrupt-1'])).rejects.toMatchObject(none);
    await expect(resume([])).rejects.toMatchObject({ code: 'interrupt_not_pending' });
    const two = [consentInterrupt(1, 'a'), consentInterrupt(2, 'a')];
    const paused = { ...pending, interrupts: two };
    await (await say('b')).finish({ outcome: 'interrupt', messages: [], pending: paused });
    for (const answered of [
      ['interrupt-1'],
      ['interrupt-1', 'interrupt-1'],
      ['interrupt-1', 'interrupt-3'],
      ['interrupt-1', 'interrupt-2', 'interrupt-2'],
      [],
    ]) {
      await expect(resume(answered)).rejects.toMatchObject({
        detail: 'Answer every pending interrupt, each once: interrupt-1, interrupt-2.',
      });
    }
    await expect(resume(['interrupt-2', 'interrupt-1'])).resolves.toBeDefined();
  });

  it('says that a conversation is being deleted', async () => {
    await done(await say('a'));
    await store.put(set, JSON.stringify({ ...workingSet(), deletedAt: NOW }), { always: true });
    await expect(say('b', undefined, taskOn(store))).rejects.toMatchObject({
      code: 'session_busy',
      detail: 'This conversation is being deleted. Delete it again to finish that, or use another id.',
    });
  });

  it.each<[string, TurnInput, string]>([
    ['a message', { kind: 'message', text: ' a \n\t b ' }, 'a b'],
    ['80 characters of a long one', { kind: 'message', text: 'x'.repeat(81) }, 'x'.repeat(80)],
  ])('titles a conversation by %s', async (_name, input, title) => {
    await begun(task, input);
    expect(workingSet().title).toBe(title);
  });

  it.each([
    ['of one task', (): Conversations => task],
    ['of two tasks', (): Conversations => taskOn(store)],
  ])('does not begin where another one begins at that moment, %s', async (_name, other) => {
    const [, lost] = await Promise.allSettled([say('one'), say('two', undefined, other())]);
    expect(lost).toMatchObject({ reason: { code: 'session_busy' } });
    expect(workingSet().claim?.userText).toBe('one');
  });

  describe('of a conversation that this task has served last', () => {
    it('makes two requests, and none before its claim', async () => {
      await done(await say('a'));
      const seen = requests();
      const { turn, fromMemory } = await beginBy(task, 'b');
      expect(fromMemory).toBe(true);
      expect(turn.messages).toEqual([user('x')]);
      await done(turn);
      const own = 'PUT sessions/one/working-set.json';
      expect(seen).toEqual([own, own]);
    });

    it('moves its line in the list once a minute', async () => {
      await done(await say('a'));
      pass(59_999);
      await done(await say('b'));
      expect(workingSet().line).toBe(LINE);
      pass(1);
      await done(await say('c'));
      const moved = lineAt(NOW + 60_000, 'one');
      expect(workingSet().line).toBe(moved);
      const lines = (): string[] => [...store.objects.keys()].filter((key) => key.includes('/index/'));
      expect(lines()).toEqual([keys.line(LINE), keys.line(moved)]);
      await jest.advanceTimersByTimeAsync(10_000);
      expect(lines()).toEqual([keys.line(moved)]);
    });

    it('reads it first, once another task has served it, until it has served two in a row again', async () => {
      await done(await say('a'));
      const other = taskOn(store);
      await done(await say('b', undefined, other));
      const stale = await beginBy(task, 'c');
      expect(stale.fromMemory).toBe(true);
      await expect(stale.turn.claimed).rejects.toMatchObject({ code: 'session_busy', reason: 'claim_lost' });
      const how: boolean[] = [];
      for (let count = 0; count < 3; count += 1) {
        const { turn, fromMemory } = await beginBy(task, 'c');
        await done(turn);
        how.push(fromMemory);
      }
      expect(how).toEqual([false, false, true]);
      expect(workingSet().turns).toBe(5);
    });

    it('refuses nothing by what it knows', async () => {
      await done(await say('a'));
      const other = taskOn(store);
      await (await say('b', undefined, other)).finish({ outcome: 'interrupt', messages: [], pending });
      await expect(resume(['interrupt-1'])).resolves.toMatchObject({ pending });
    });
  });

  describe('of another task', () => {
    it('is left alone while that task is alive, and told since when it goes on', async () => {
      await say('hello');
      pass(DEAD - 1);
      await expect(say('next', undefined, taskOn(store))).rejects.toMatchObject({
        code: 'session_busy',
        detail:
          'This conversation has been answering since 00:00:00 UTC. Wait for its end, then try again. If its server has failed, it is free again within 10 seconds.',
      });
    });

    it('gets its record from the turn that follows its death', async () => {
      await say('lost');
      pass(DEAD);
      const turn = await say('next', 'run-2', taskOn(store));
      expect(turn.messages).toEqual([user('lost')]);
      expect(workingSet()).toMatchObject({
        turns: 1,
        claim: { seq: 2, runId: 'run-2' },
        recent: [
          { seq: 1, outcome: 'abandoned', startedAt: NOW, endedAt: NOW + DEAD, messages: [user('lost')] },
        ],
      });
    });

    it('cannot write any more when it was taken for dead', async () => {
      const zombie = await say('slow');
      pass(DEAD);
      await done(await say('next', 'run-2', taskOn(store)));
      const before = store.objects.get(set)?.text;
      await expect(zombie.noteWrite('a', 'digest')).rejects.toMatchObject({ reason: 'claim_lapsed' });
      expect(zombie.lost.reason).toMatchObject({ code: 'session_busy' });
      await expect(done(zombie)).rejects.toMatchObject({ code: 'session_busy', reason: 'claim_lapsed' });
      expect(store.objects.get(set)?.text).toBe(before);
    });

    it('has its claim for ever where its lease is renewed', async () => {
      await say('hello');
      const [leaseKey = ''] = [...store.objects.keys()].filter((key) => key.startsWith('tasks/'));
      for (let count = 0; count < 100; count += 1) {
        pass(2_000);
        await store.put(leaseKey, '{}', { always: true });
      }
      await expect(say('next', undefined, taskOn(store))).rejects.toMatchObject({ code: 'session_busy' });
    });
  });

  describe('that makes a write', () => {
    const paused = async (): Promise<Turn> => {
      await (await say('hello')).finish({ outcome: 'interrupt', messages: [user('hello')], pending });
      return resume(['interrupt-1'], 'run-2');
    };

    it('notes it first', async () => {
      const turn = await paused();
      await turn.noteWrite('a', 'digest of a');
      await turn.noteWrite('b', 'digest of b');
      const begun = ['a', 'b'].map((toolCallId) => ({
        toolCallId,
        digest: `digest of ${toolCallId}`,
        at: NOW,
      }));
      expect(workingSet().claim).toMatchObject({ seq: 2, begun, pending });
      await done(turn);
      expect(workingSet()).not.toHaveProperty('claim');
    });

    it.each([
      ['which it had begun', ['a']],
      ['which it had not begun', []],
    ])('leaves what is known of it when it dies: a call %s', async (_name, begunCalls) => {
      const turn = await paused();
      for (const id of begunCalls) await turn.noteWrite(id, 'digest');
      pass(DEAD);
      const next = await say('next', 'run-3', taskOn(store));
      expect(next.pending).toStrictEqual({ ...pending, resumable: false, begun: begunCalls });
      expect(next.doubtedSince('digest')).toBe(begunCalls.length === 0 ? undefined : NOW);
      expect(workingSet().recent.at(-1)).toMatchObject({
        runId: 'run-2',
        outcome: 'abandoned',
        messages: [],
      });
    });

    it('leaves it in doubt where its outcome is not known, until it is', async () => {
      const turn = await paused();
      await turn.noteWrite('a', 'digest of a');
      await turn.noteWrite('b', 'digest of b');
      turn.doubt('a');
      expect(turn.doubtedSince('digest of a')).toBeUndefined();
      await done(turn);
      const next = await say('next');
      expect(next.doubtedSince('digest of a')).toBe(NOW);
      expect(next.doubtedSince('digest of b')).toBeUndefined();
      next.settleDoubt('digest of b');
      next.settleDoubt('digest of a');
      expect(next.doubtedSince('digest of a')).toBeUndefined();
      await done(next);
      expect((await say('last')).doubtedSince('digest of a')).toBeUndefined();
    });

    it('makes it not where it cannot be noted', async () => {
      const turn = await paused();
      failOn('working-set');
      await expect(turn.noteWrite('a', 'digest')).rejects.toBe(unavailable);
      recover();
      await turn.noteWrite('b', 'digest');
      expect(workingSet().claim?.begun).toMatchObject([{ toolCallId: 'b' }]);
    });

    it('goes on where the answer to its note was lost', async () => {
      const turn = await paused();
      store.afterPut = () => {
        throw unavailable;
      };
      await expect(turn.noteWrite('a', 'digest')).rejects.toBe(unavailable);
      recover();
      await done(turn);
      expect(workingSet()).toMatchObject({ turns: 2 });
      expect(turn.lost.aborted).toBe(false);
    });
  });

  it('moves older turns to a segment when there are seventeen', async () => {
    for (let number = 1; number <= 17; number += 1) await done(await say('m'), String(number));
    expect(workingSet()).toMatchObject({ turns: 17, recent: [{ seq: 17 }] });
    expect(workingSet().messages).toHaveLength(16);
    const moved = stored(keys.segment('one', 16)) as { turns: readonly { seq: number }[] };
    expect(moved.turns.map(({ seq }) => seq)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    expect((await say('next')).messages.map(({ content }) => content)).toEqual(
      Array.from({ length: 17 }, (_, index) => user(String(index + 1)).content),
    );
  });
});
