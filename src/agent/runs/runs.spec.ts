import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { recordedLog, type LoggedLine } from '../../common/logging/testing/recorded-log.js';
import { requestContext, runInContext } from '../../common/context/index.js';
import { Conversations } from '../../sessions/index.js';
import { MemoryStore } from '../../storage/testing/memory-store.js';
import type { ToolRegistry } from '../../tools/index.js';
import type { Interrupts } from '../interrupts/index.js';
import { ScriptedModel, text } from '../strands/testing/scripted-model.js';
import type { RunEvent } from './run-event.js';
import type { RunRequest } from './run-request.js';
import { Runs, type StartedRun } from './runs.js';

const DEADLINE_S = 900;
const registry = { specifications: () => [] } as unknown as ToolRegistry;

describe('Runs', () => {
  let log: readonly LoggedLine[];
  let conversations: Conversations;
  let runs: Runs;

  beforeEach(() => {
    jest.useFakeTimers();
    log = recordedLog();
    conversations = new Conversations(new MemoryStore());
    const interrupts = {} as Interrupts;
    runs = new Runs(conversations, registry, interrupts, new ScriptedModel(text('hello')), {
      deadlineSeconds: DEADLINE_S,
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const requestOf = (
    sessionId: string,
    input: RunRequest['input'] = { kind: 'message', text: 'hi' },
  ): RunRequest => ({
    sessionId,
    runId: 'run',
    chosenByClient: ['sessionId'],
    input,
  });
  const start = (
    sub: string,
    sessionId: string,
    clientGone = new AbortController().signal,
  ): Promise<StartedRun> => runs.start({ sub }, requestOf(sessionId), clientGone);
  const endOf = async ({ events }: StartedRun): Promise<RunEvent | undefined> => {
    let last: RunEvent | undefined;
    for await (const event of events) last = event;
    return last;
  };
  const ended = (): readonly LoggedLine[] => log.filter(({ fields }) => fields.event === 'run_ended');

  it('go from their start to their end', async () => {
    expect(await endOf(await start('alice', 'one'))).toEqual({ kind: 'finished', outcome: 'success' });
    expect(ended()).toHaveLength(1);
  });

  it('are named on every later line of the request', async () => {
    await runInContext({ requestId: 'request' }, async () => {
      await endOf(await start('alice', 'one'));
      expect(requestContext()).toEqual({
        requestId: 'request',
        sessionId: 'one',
        runId: 'run',
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
      await expect(runs.start({ sub: 'alice' }, resume, new AbortController().signal)).rejects.toMatchObject({
        code: 'session_not_found',
      });
    }
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are ten at once for a user, and do not count for others', async () => {
    const own: StartedRun[] = [];
    for (let count = 0; count < 10; count += 1) own.push(await start('alice', `a${String(count)}`));
    await expect(start('alice', 'eleventh')).rejects.toMatchObject({ code: 'too_many_runs' });
    await expect(start('bob', 'b')).resolves.toBeDefined();
    const [first] = own;
    if (first !== undefined) await endOf(first);
    await expect(start('alice', 'eleventh')).resolves.toBeDefined();
  });

  it('are 1,500 at once in a task', async () => {
    for (let count = 0; count < 1_500; count += 1) await start(`user-${String(count)}`, 'one');
    await expect(start('alice', 'one')).rejects.toMatchObject({ code: 'overloaded' });
  });

  it('end at their deadline', async () => {
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
    const client = new AbortController();
    const started = await start('alice', 'one', client.signal);
    client.abort();
    expect(await endOf(started)).toEqual({ kind: 'finished', outcome: 'cancelled' });
  });

  it('are ended, waited for, and no more begun when the process shuts down', async () => {
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
    await start('alice', 'one');
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
    runs.onApplicationBootstrap();
    await start('alice', 'one');
    await jest.advanceTimersByTimeAsync(60_000);
    const counted = log.filter(({ fields }) => fields.event === 'runs_in_progress');
    expect(counted.map(({ fields }) => fields.running)).toEqual([1, 1]);
  });
});
