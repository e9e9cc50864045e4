import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { recordedLog, type LoggedLine } from '../common/logging/testing/recorded-log.js';
import type { PendingRun, TurnRecord, WorkingSet } from './conversation.js';
import { UserKeys } from './keys.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import type { TurnInput } from './claim.js';
import { Turn } from './turn.js';
import { assistant, consentInterrupt, user } from './testing/messages.js';

const NOW = Date.UTC(2026, 0, 1);
const LATER = 61_000;
const keys = new UserKeys('alice');
const pending: PendingRun = {
  interrupts: [consentInterrupt(1, 'a')],
  snapshot: { any: 'thing' },
  resumable: true,
};

describe('Turn', () => {
  let store: MemoryStore;
  let log: readonly LoggedLine[];

  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
    store = new MemoryStore();
    log = recordedLog();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const begin = (input: TurnInput, runId = 'run'): Promise<Turn> =>
    Turn.begin(store, keys, 'one', runId, input);
  const say = (text: string, runId?: string): Promise<Turn> => begin({ kind: 'message', text }, runId);
  const resume = (interruptIds: readonly string[], runId?: string): Promise<Turn> =>
    begin({ kind: 'resume', interruptIds }, runId);
  const stored = (key: string): unknown => JSON.parse(store.objects.get(key)?.text ?? 'null');
  const workingSet = (): WorkingSet => stored(keys.workingSet('one')) as WorkingSet;
  const record = (seq: number): TurnRecord => stored(keys.turn('one', seq)) as TurnRecord;
  const pass = (ms: number): void => {
    jest.setSystemTime(Date.now() + ms);
  };
  /** The task of a turn dies: nothing renews its claim any more, and it lapses. */
  const die = (): void => {
    jest.clearAllTimers();
    pass(LATER);
  };
  const failing =
    (part: string, message: string) =>
    (key: string): void => {
      if (key.includes(part)) throw new Error(message);
    };
  const writes = (): string[] => {
    const written: string[] = [];
    store.beforePut = (key) => written.push(key);
    return written;
  };

  it('begins with a claim, and a line in the index', async () => {
    const turn = await say('hello');
    expect(workingSet()).toStrictEqual({
      version: 2,
      sessionId: 'one',
      createdAt: NOW,
      updatedAt: NOW,
      title: 'hello',
      turns: 0,
      interrupts: 0,
      messages: [],
      claim: { seq: 1, runId: 'run', startedAt: NOW, leaseUntil: NOW + 60_000, userText: 'hello' },
    });
    const at = new Date(NOW).toISOString();
    const line = { sessionId: 'one', title: 'hello', createdAt: at, updatedAt: at };
    expect(stored(keys.index('one'))).toStrictEqual(line);
    expect(turn).toMatchObject({ messages: [], interrupts: 0, pending: undefined, lost: { aborted: false } });
  });

  it('ends with its record, and gives the claim back', async () => {
    const turn = await say('hello');
    pass(1_000);
    const messages = [user('hello'), assistant('hi')];
    await turn.finish({ outcome: 'success', messages });
    const endedAt = NOW + 1_000;
    expect(record(1)).toStrictEqual({
      version: 2,
      seq: 1,
      runId: 'run',
      startedAt: NOW,
      endedAt,
      outcome: 'success',
      messages,
    });
    expect(workingSet()).toStrictEqual({
      version: 2,
      sessionId: 'one',
      createdAt: NOW,
      updatedAt: endedAt,
      title: 'hello',
      turns: 1,
      interrupts: 0,
      messages,
    });
  });

  it('leaves a paused run in its record and in the conversation', async () => {
    await (await say('hello')).finish({ outcome: 'interrupt', messages: [user('hello')], pending });
    expect(record(1)).toMatchObject({ outcome: 'interrupt', pending });
    expect(workingSet()).toMatchObject({ interrupts: 1, pending });
    const turn = await resume(['interrupt-1'], 'run-2');
    expect(turn).toMatchObject({ pending, interrupts: 1 });
    expect(workingSet().claim).toStrictEqual({
      seq: 2,
      runId: 'run-2',
      startedAt: NOW,
      leaseUntil: NOW + 60_000,
      pending,
    });
    await turn.finish({ outcome: 'interrupt', messages: [], pending });
    expect(workingSet().interrupts).toBe(2);
  });

  it('says what is to be answered', async () => {
    const none = { detail: 'No interrupt is pending in this conversation. Send a message instead.' };
    await (await say('a')).finish({ outcome: 'success', messages: [] });
    await expect(resume(['interrupt-1'])).rejects.toMatchObject(none);
    const two = [consentInterrupt(1, 'a'), consentInterrupt(2, 'a')];
    const paused = { ...pending, interrupts: two } as PendingRun;
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

  it('takes no empty answer where nothing is pending', async () => {
    await (await say('a')).finish({ outcome: 'success', messages: [] });
    await expect(resume([])).rejects.toMatchObject({ code: 'interrupt_not_pending' });
  });

  it('says that a conversation is being deleted', async () => {
    await (await say('a')).finish({ outcome: 'success', messages: [] });
    const text = JSON.stringify({ ...workingSet(), deletedAt: NOW });
    await store.put(keys.workingSet('one'), text, { always: true });
    await expect(say('b')).rejects.toMatchObject({
      code: 'session_busy',
      detail: 'This conversation is being deleted. Delete it again to finish that, or use another id.',
    });
  });

  it.each<[string, TurnInput, string]>([
    ['a message', { kind: 'message', text: ' a \n\t b ' }, 'a b'],
    ['80 characters of a long one', { kind: 'message', text: 'x'.repeat(81) }, 'x'.repeat(80)],
  ])('titles a conversation by %s', async (_name, input, title) => {
    await begin(input);
    expect(workingSet().title).toBe(title);
  });

  it('does not begin where another one begins at that moment', async () => {
    const [, lost] = await Promise.allSettled([say('one'), say('two')]);
    expect(lost).toMatchObject({ reason: { code: 'session_busy', reason: 'claim_lost' } });
    expect(workingSet().claim?.userText).toBe('one');
  });

  it.each([
    ['up to its last millisecond', 59_999, 'rejected'],
    ['and not beyond', 60_000, 'fulfilled'],
  ])('has its lease for a minute, %s', async (_name, ms, status) => {
    await say('hello');
    jest.clearAllTimers();
    pass(ms);
    expect((await Promise.allSettled([say('next')]))[0].status).toBe(status);
  });

  it('renews its lease three times a minute, and keeps all else', async () => {
    await say('hello');
    const { claim, ...rest } = workingSet();
    await jest.advanceTimersByTimeAsync(19_999);
    expect(workingSet().claim).toEqual(claim);
    await jest.advanceTimersByTimeAsync(1);
    expect(workingSet()).toEqual({ ...rest, claim: { ...claim, leaseUntil: NOW + 80_000 } });
  });

  it('renews no more when it is over', async () => {
    const turn = await say('hello');
    await turn.finish({ outcome: 'success', messages: [] });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('waits for a renewal that is under way', async () => {
    const turn = await say('hello');
    jest.advanceTimersByTime(20_000);
    await turn.finish({ outcome: 'success', messages: [user('hello')] });
    expect(workingSet()).toMatchObject({ turns: 1, messages: [user('hello')] });
    expect(log).toEqual([]);
    expect(turn.lost.aborted).toBe(false);
  });

  it.each([
    [30_000, 2],
    [30_001, 3],
  ])('makes sure of its lease before its last two writes: after %i ms, %i writes', async (ms, count) => {
    const turn = await say('hello');
    pass(ms);
    const written = writes();
    await turn.finish({ outcome: 'success', messages: [] });
    const [set, own] = [keys.workingSet('one'), keys.turn('one', 1)];
    expect(written).toEqual(count === 2 ? [own, set] : [set, own, set]);
  });

  it('writes no record when it has lost its lease', async () => {
    const turn = await say('hello');
    die();
    await (await say('next')).finish({ outcome: 'success', messages: [user('next')] });
    const before = [...store.objects.keys()];
    await expect(turn.finish({ outcome: 'success', messages: [user('SECRET')] })).rejects.toMatchObject({
      code: 'session_busy',
      reason: 'claim_lapsed',
    });
    expect([...store.objects.keys()]).toEqual(before);
  });

  it.each<[string, Partial<TurnRecord>]>([
    ["another run's", { runId: 'other', outcome: 'success' }],
    ['one that was written for it', { runId: 'run', outcome: 'abandoned' }],
  ])('does not finish where there is a record already: %s', async (_name, found) => {
    const turn = await say('hello');
    const whole = { version: 2, seq: 1, startedAt: NOW, endedAt: NOW, messages: [], ...found };
    await store.put(keys.turn('one', 1), JSON.stringify(whole), { always: true });
    await expect(turn.finish({ outcome: 'success', messages: [] })).rejects.toMatchObject({
      code: 'session_busy',
      reason: 'claim_lapsed',
    });
    expect(workingSet().turns).toBe(0);
  });

  it('does not finish where there is a record that cannot be read', async () => {
    const turn = await say('hello');
    await store.put(keys.turn('one', 1), '{}', { always: true });
    await expect(turn.finish({ outcome: 'success', messages: [] })).rejects.toMatchObject({
      code: 'session_unreadable',
      reason: 'damaged',
    });
    expect(workingSet().turns).toBe(0);
  });

  describe('when a renewal fails', () => {
    it('stops at once if another turn has taken over', async () => {
      const turn = await say('hello');
      await store.put(keys.workingSet('one'), JSON.stringify(workingSet()), { always: true });
      await jest.advanceTimersByTimeAsync(20_000);
      expect(turn.lost.reason).toMatchObject({ code: 'session_busy', reason: 'claim_lapsed' });
      expect(log).toMatchObject([
        { level: 'warn', context: 'Turn', fields: { event: 'claim_not_renewed', error: 'AppError' } },
      ]);
    });

    it('goes on while its lease runs, and stops when that is over', async () => {
      const turn = await say('hello');
      store.beforePut = failing('working-set', 'SECRET');
      await jest.advanceTimersByTimeAsync(59_999);
      expect(turn.lost.aborted).toBe(false);
      await jest.advanceTimersByTimeAsync(1);
      expect(turn.lost.aborted).toBe(true);
      expect(log).toHaveLength(3);
      expect(JSON.stringify(log)).not.toContain('SECRET');
    });

    it('goes on as before when the next one succeeds', async () => {
      const turn = await say('hello');
      store.beforePut = failing('working-set', 'away');
      await jest.advanceTimersByTimeAsync(20_000);
      store.beforePut = () => undefined;
      await jest.advanceTimersByTimeAsync(20_000);
      expect(workingSet().claim?.leaseUntil).toBe(NOW + 100_000);
      await turn.finish({ outcome: 'success', messages: [] });
      expect(turn.lost.aborted).toBe(false);
    });
  });

  describe('that could not start', () => {
    const couldNotStart = async (start: () => Promise<Turn>): Promise<void> => {
      store.beforePut = failing('/index/', 'no index');
      await expect(start()).rejects.toThrow('no index');
      store.beforePut = () => undefined;
      expect(jest.getTimerCount()).toBe(0);
    };

    it('leaves nothing of a conversation that it began', async () => {
      await couldNotStart(() => say('hello'));
      expect([...store.objects.keys()]).toEqual([]);
    });

    it('leaves a conversation as it was', async () => {
      await (await say('hello')).finish({ outcome: 'success', messages: [user('hello')] });
      const before = workingSet();
      await couldNotStart(() => say('again'));
      expect(workingSet()).toStrictEqual(before);
    });

    it('leaves a paused run as it was', async () => {
      await (await say('hello')).finish({ outcome: 'interrupt', messages: [], pending });
      const before = workingSet();
      await couldNotStart(() => resume(['interrupt-1']));
      expect(workingSet()).toStrictEqual(before);
    });

    it.each([
      ['new', 0],
      ['old', 1],
    ])('says why, even if it cannot give a claim back: a %s conversation', async (_name, turns) => {
      if (turns === 1) await (await say('hello')).finish({ outcome: 'success', messages: [] });
      let writesOfSet = 0;
      store.beforePut = (key) => {
        if (key.includes('/index/')) throw new Error('no index');
        writesOfSet += 1;
        if (writesOfSet > 1) throw new Error('away');
      };
      store.deleteVersion = () => Promise.reject(new Error('away'));
      await expect(say('again')).rejects.toThrow('no index');
    });
  });

  describe('after one that died', () => {
    it('writes its record for it', async () => {
      await say('lost');
      die();
      const turn = await say('next', 'run-2');
      expect(record(1)).toStrictEqual({
        version: 2,
        seq: 1,
        runId: 'run',
        startedAt: NOW,
        endedAt: NOW + LATER,
        outcome: 'abandoned',
        messages: [user('lost')],
      });
      expect(turn.messages).toEqual([user('lost')]);
      expect(workingSet()).toMatchObject({ turns: 1, claim: { seq: 2, runId: 'run-2' } });
    });

    it('adopts its own record, with the run that it left paused', async () => {
      const first = await say('hello');
      store.beforePut = failing('working-set', 'died');
      const end = first.finish({ outcome: 'interrupt', messages: [user('hello')], pending });
      await expect(end).rejects.toThrow('died');
      store.beforePut = () => undefined;
      die();
      const turn = await say('next', 'run-2');
      expect(turn).toMatchObject({ messages: [user('hello')], pending, interrupts: 1 });
      expect(record(1).outcome).toBe('interrupt');
    });

    it('closes the paused run that it resumed, and keeps no message of it', async () => {
      await (await say('hello')).finish({ outcome: 'interrupt', messages: [user('hello')], pending });
      await resume(['interrupt-1'], 'run-2');
      die();
      const turn = await say('next', 'run-3');
      expect(record(2)).toMatchObject({ runId: 'run-2', outcome: 'abandoned', messages: [] });
      expect(turn).toMatchObject({ pending: { ...pending, resumable: false }, messages: [user('hello')] });
    });
  });
});
