import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../../common/errors/index.js';
import { recordedLog, type LoggedLine } from '../../common/logging/testing/recorded-log.js';
import { requestContext, runInContext } from '../../common/context/index.js';
import type { Conversations } from '../../sessions/index.js';
import { user } from '../../sessions/testing/messages.js';
import { begun, partsOn, taskOn, type Task } from '../../sessions/testing/tasks.js';
import { MemoryStore } from '../../storage/testing/memory-store.js';
import type { ToolRegistry } from '../../tools/index.js';
import type { Usage } from '../../usage/index.js';
import type { Interrupts } from '../interrupts/index.js';
import { counted, ScriptedModel, SilentModel, text } from '../strands/testing/scripted-model.js';
import { OtherTasks } from './other-tasks.js';
import type { RunEvent } from './run-event.js';
import type { RunRequest } from './run-request.js';
import type { RunReader } from './running-run.js';
import { Runs, type StartedRun } from './runs.js';
import type { Summaries } from './summaries.js';

const DEADLINE_S = 900;
const GRACE_S = 30;
const RUNS_PER_TASK = 20;
const registry = { specifications: () => [] } as unknown as ToolRegistry;

/** What was counted: who began a run, and what it had taken at its end. */
class Counter {
  readonly lines: unknown[] = [];
  refuses: AppError | undefined;

  begin(sub: string): object {
    if (this.refuses !== undefined) throw this.refuses;
    this.lines.push(sub);
    return { end: (taken: unknown) => this.lines.push(taken) };
  }

  flush(): Promise<void> {
    this.lines.push('flushed');
    return Promise.resolve();
  }
}

describe('Runs', () => {
  let log: readonly LoggedLine[];
  let store: MemoryStore;
  let parts: Task;
  let conversations: Conversations;
  let number: number;
  let usage: Counter;
  /** The conversations whose runs have ended. */
  let summarised: unknown[];
  let runs: Runs;
  let silent: SilentModel;

  beforeEach(() => {
    jest.useFakeTimers();
    log = recordedLog();
    store = new MemoryStore();
    parts = partsOn(store);
    ({ conversations } = parts);
    number = 0;
    usage = new Counter();
    summarised = [];
    runs = runsWith(new ScriptedModel(text('hello')));
    silent = new SilentModel();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const runsWith = (model: ScriptedModel): Runs =>
    new Runs(
      conversations,
      parts.shared,
      new OtherTasks(conversations, parts.shared),
      registry,
      {} as Interrupts,
      usage as unknown as Usage,
      { afterRun: (...of: unknown[]) => summarised.push(of) } as unknown as Summaries,
      model,
      { deadlineSeconds: DEADLINE_S, graceSeconds: GRACE_S, modelCalls: 12, perTask: RUNS_PER_TASK },
    );
  const requestOf = (
    sessionId: string,
    input: RunRequest['input'] = { kind: 'message', text: 'hi' },
  ): RunRequest => ({
    sessionId,
    runId: `run-${String((number += 1))}`,
    chosenByClient: ['sessionId'],
    input,
  });
  const reader = (onDisconnect: RunReader['onDisconnect'] = 'cancel'): RunReader => ({
    gone: new AbortController().signal,
    onDisconnect,
  });
  const start = (sub: string, sessionId: string, gone = new AbortController().signal): Promise<StartedRun> =>
    runs.start({ sub }, requestOf(sessionId), { gone, onDisconnect: 'cancel' });
  const endOf = async ({ events }: StartedRun): Promise<RunEvent | undefined> => {
    let last: RunEvent | undefined;
    for await (const event of events) last = event;
    return last;
  };
  const ended = (): readonly LoggedLine[] => log.filter(({ fields }) => fields.event === 'run_ended');

  it('go from their start to their end', async () => {
    expect(await endOf(await start('alice', 'one'))).toEqual({ kind: 'finished', outcome: 'success' });
    expect(summarised).toEqual([[{ sub: 'alice' }, 'one']]);
    expect(ended()).toHaveLength(1);
    expect(ended()[0]?.fields).toEqual({
      event: 'run_ended',
      outcome: 'success',
      durationMs: 0,
      modelCalls: 1,
      retries: 0,
      inputTokens: 0,
      outputTokens: 0,
      timeToFirstTextMs: 0,
    });
  });

  it('are logged with the code of their failure', async () => {
    runs = runsWith(new ScriptedModel(new AppError('model_invalid')));
    await endOf(await start('alice', 'one'));
    expect(ended()[0]?.fields).toMatchObject({ outcome: 'error', code: 'model_invalid', modelCalls: 1 });
  });

  it('go on without a reader, and are stored', async () => {
    await start('alice', 'one');
    await jest.advanceTimersByTimeAsync(0);
    expect(ended()).toHaveLength(1);
    expect(await conversations.read('alice', 'one', { limit: 1 })).toMatchObject({
      busy: false,
      turns: [{ outcome: 'success' }],
    });
  });

  it('ask the model while their claim is being written', async () => {
    const model = new ScriptedModel(text('hello'));
    runs = runsWith(model);
    await endOf(await start('alice', 'one'));
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const put = store.put.bind(store);
    jest.spyOn(store, 'put').mockImplementation(async (...parameters) => {
      await promise;
      return put(...parameters);
    });
    const started = start('alice', 'one');
    await jest.advanceTimersByTimeAsync(0);
    expect(model.asked).toHaveLength(2);
    resolve(undefined);
    expect(await endOf(await started)).toEqual({ kind: 'finished', outcome: 'success' });
  });

  it('are begun again from what is stored, where another task has served the conversation', async () => {
    const model = new ScriptedModel(text('hello'));
    runs = runsWith(model);
    await endOf(await start('alice', 'one'));
    const turn = await begun(taskOn(store), 'elsewhere');
    await turn.finish({ outcome: 'success', messages: [user('elsewhere')] });
    await endOf(await start('alice', 'one'));
    expect(JSON.stringify(model.asked.at(-1)?.messages)).toContain('elsewhere');
    const { turns } = await conversations.read('alice', 'one', { limit: 9 });
    expect(turns.map(({ outcome }) => outcome)).toEqual(['success', 'success', 'success']);
    expect(log.filter(({ fields }) => fields.event === 'run_failed')).toEqual([]);
  });

  it('are refused where another task is serving the conversation', async () => {
    await endOf(await start('alice', 'one'));
    await begun(taskOn(store), 'elsewhere');
    await expect(start('alice', 'one')).rejects.toMatchObject({ code: 'session_busy' });
    expect(ended()).toHaveLength(1);
  });

  it('are named on every later line of the request', async () => {
    await runInContext({ requestId: 'request' }, async () => {
      await endOf(await start('alice', 'one'));
      expect(requestContext()).toEqual({
        requestId: 'request',
        sessionId: 'one',
        runId: 'run-1',
        chosenByClient: ['sessionId'],
      });
    });
  });

  it('are refused where the conversation cannot begin one, which takes no place', async () => {
    const resume = requestOf('none', {
      kind: 'resume',
      answers: [{ interruptId: 'interrupt-1', status: 'resolved' }],
    });
    for (let count = 0; count < 11; count += 1) {
      await expect(runs.start({ sub: 'alice' }, resume, reader())).rejects.toMatchObject({
        code: 'session_not_found',
      });
    }
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are refused beyond the limits of their user, and take no place then', async () => {
    usage.refuses = new AppError('too_many_runs');
    for (let count = 0; count <= RUNS_PER_TASK; count += 1)
      await expect(start('alice', 'one')).rejects.toMatchObject({ code: 'too_many_runs' });
    usage.refuses = undefined;
    await expect(start('alice', 'one')).resolves.toBeDefined();
  });

  it('count for their user until their end, with what they have taken of the model', async () => {
    runs = runsWith(new ScriptedModel(counted(text('hello'), [7, 5])));
    const started = await start('alice', 'one');
    expect(usage.lines).toEqual(['alice']);
    await endOf(started);
    await jest.advanceTimersByTimeAsync(0);
    expect(usage.lines).toEqual(['alice', { inputTokens: 7, outputTokens: 5 }]);
  });

  it('do not count where they could not begin', async () => {
    await begun(taskOn(store), 'elsewhere');
    await expect(start('alice', 'one')).rejects.toMatchObject({ code: 'session_busy' });
    expect(usage.lines).toEqual(['alice', undefined]);
  });

  it('are counted in the store before the process ends', async () => {
    await endOf(await start('alice', 'one'));
    runs.onModuleDestroy();
    await runs.beforeApplicationShutdown();
    expect(usage.lines.at(-1)).toBe('flushed');
  });

  it('are limited in number for a task', async () => {
    runs = runsWith(silent);
    for (let count = 0; count < RUNS_PER_TASK; count += 1) await start(`user-${String(count)}`, 'one');
    await expect(start('alice', 'one')).rejects.toMatchObject({ code: 'overloaded' });
  });

  it('end at their deadline', async () => {
    runs = runsWith(silent);
    const { events, signal } = await start('alice', 'one');
    await jest.advanceTimersByTimeAsync(DEADLINE_S * 1000 - 1);
    expect(signal.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(signal.reason).toMatchObject({ code: 'run_timeout' });
    expect(await endOf({ events, signal })).toMatchObject({ kind: 'failed', error: { code: 'run_timeout' } });
  });

  it('have no deadline any more when they have ended', async () => {
    await endOf(await start('alice', 'one'));
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are cancelled when the client has gone', async () => {
    runs = runsWith(silent);
    const client = new AbortController();
    const started = await start('alice', 'one', client.signal);
    client.abort();
    await endOf(started);
    await jest.advanceTimersByTimeAsync(0);
    const { turns } = await conversations.read('alice', 'one', { limit: 1 });
    expect(turns).toMatchObject([{ outcome: 'cancelled' }]);
  });

  describe('under one name', () => {
    const named = (text = 'hi', more: Partial<RunRequest> = {}): RunRequest => ({
      ...requestOf('one', { kind: 'message', text }),
      runId: 'mine',
      ...more,
    });
    const all = async ({ events }: StartedRun): Promise<RunEvent[]> => {
      const read: RunEvent[] = [];
      for await (const event of events) read.push(event);
      return read;
    };
    const startNamed = (request: RunRequest): Promise<StartedRun> =>
      runs.start({ sub: 'alice' }, request, reader());
    const NAME = { sub: 'alice', sessionId: 'one', runId: 'mine' };

    it('are the same run, while it goes on and after it', async () => {
      const [one, two] = await Promise.all([startNamed(named()), startNamed(named())]);
      const events = await all(one);
      expect(events.at(-1)).toEqual({ kind: 'finished', outcome: 'success' });
      expect(await all(two)).toEqual(events);
      await jest.advanceTimersByTimeAsync(0);
      expect(await all(await startNamed(named()))).toEqual(events);
      expect(await all(await runs.follow(NAME, reader()))).toEqual(events);
      expect((await conversations.read('alice', 'one', { limit: 9 })).turns).toHaveLength(1);
      expect(ended()).toHaveLength(1);
    });

    it('cannot be two runs', async () => {
      runs = runsWith(silent);
      await startNamed(named());
      await expect(startNamed(named('other'))).rejects.toMatchObject({ code: 'run_id_used' });
      await runs.stop(NAME);
      await jest.advanceTimersByTimeAsync(0);
      await expect(startNamed(named('other'))).rejects.toMatchObject({ code: 'run_id_used' });
    });

    it('can be read while they go on, and stopped', async () => {
      runs = runsWith(silent);
      const started = await startNamed(named());
      const following = all(await runs.follow(NAME, reader()));
      await runs.stop(NAME);
      expect((await all(started)).at(-1)).toEqual({ kind: 'finished', outcome: 'cancelled' });
      expect((await following).at(-1)).toEqual({ kind: 'finished', outcome: 'cancelled' });
    });

    it('are unknown where they are', async () => {
      await expect(runs.follow(NAME, reader())).rejects.toMatchObject({ code: 'session_not_found' });
      await endOf(await start('alice', 'one'));
      await expect(runs.follow(NAME, reader())).rejects.toMatchObject({ code: 'run_not_found' });
      await expect(runs.stop(NAME)).rejects.toMatchObject({ code: 'run_not_found' });
    });

    it('are stopped, or published, where another task wishes it', async () => {
      runs = runsWith(silent);
      runs.onApplicationBootstrap();
      const started = await startNamed(named());
      const other = partsOn(store).shared;
      await other.ask(parts.task, 'follow', NAME);
      await other.ask(parts.task, 'stop', { ...NAME, runId: 'none' });
      await jest.advanceTimersByTimeAsync(1_000);
      expect(await other.published(NAME)).toMatchObject({ events: [{ kind: 'started' }], hasEnded: false });
      await other.ask(parts.task, 'stop', NAME);
      await jest.advanceTimersByTimeAsync(1_000);
      expect((await all(started)).at(-1)).toEqual({ kind: 'finished', outcome: 'cancelled' });
    });

    it('are not reached where the wishes cannot be read, which is logged', async () => {
      runs = runsWith(silent);
      runs.onApplicationBootstrap();
      await startNamed(named());
      store.list = () => Promise.reject(new AppError('sessions_unavailable'));
      await jest.advanceTimersByTimeAsync(1_000);
      expect(log).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          fields: expect.objectContaining({ event: 'wishes_not_read', error: 'AppError' }),
        }),
      );
    });
  });

  it('are ended, waited for, and no more begun when the process shuts down', async () => {
    runs = runsWith(silent);
    const started = await start('alice', 'one');
    let isDown = false;
    runs.onModuleDestroy();
    const down = runs.beforeApplicationShutdown().then(() => {
      isDown = true;
    });
    await expect(start('alice', 'two')).rejects.toMatchObject({ code: 'shutting_down' });
    expect(isDown).toBe(false);
    expect(await endOf(started)).toMatchObject({ kind: 'failed', error: { code: 'shutting_down' } });
    await down;
    expect(isDown).toBe(true);
  });

  it('that do not end are waited for 20 s at a shutdown, and no longer', async () => {
    runs = runsWith(silent);
    await start('alice', 'one');
    jest.spyOn(store, 'put').mockReturnValue(new Promise(() => undefined));
    let isDown = false;
    runs.onModuleDestroy();
    const down = runs.beforeApplicationShutdown().then(() => {
      isDown = true;
    });
    await jest.advanceTimersByTimeAsync(19_999);
    expect(isDown).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    await down;
    expect(isDown).toBe(true);
  });

  it('are counted every 30 s, for the deployment to scale by', async () => {
    runs = runsWith(silent);
    runs.onApplicationBootstrap();
    await start('alice', 'one');
    await jest.advanceTimersByTimeAsync(60_000);
    const counted = log.filter(({ fields }) => fields.event === 'runs_in_progress');
    expect(counted.map(({ fields }) => fields.running)).toEqual([1, 1]);
  });
});
