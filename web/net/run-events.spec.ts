import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Offline, Problem, SignedOut } from './api.ts';
import { runEvents, type RunInput } from './run-events.ts';

const place = { conversation: 'one', runId: 'run' };
const input: RunInput = { message: 'hello' };
const event = (id: number, type: string): string =>
  `id: ${String(id)}\ndata: ${JSON.stringify({ type })}\n\n`;
const STARTED = event(1, 'RUN_STARTED');
const TEXT = event(2, 'TEXT_MESSAGE_START');
const FINISHED = event(3, 'RUN_FINISHED');

describe('runEvents', () => {
  let answers: (() => Response | Promise<Response>)[];
  let asked: { readonly path: string; readonly init: RequestInit }[];
  let connection: boolean[];
  let abort: AbortController;

  beforeEach(() => {
    jest.useFakeTimers();
    [answers, asked, connection, abort] = [[], [], [], new AbortController()];
    jest.spyOn(globalThis, 'fetch').mockImplementation((path, init = {}) => {
      asked.push({ path: path as string, init });
      return Promise.resolve((answers.shift() ?? (() => Response.error()))());
    });
    const listeners = { addEventListener: () => undefined, removeEventListener: () => undefined };
    Object.assign(globalThis, listeners);
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  const body = (text: string) => (): Response => new Response(text);
  const broken = (text: string) => (): Response =>
    new Response(
      new ReadableStream({
        pull(controller) {
          if (text === '') controller.error(new TypeError('network error'));
          else controller.enqueue(new TextEncoder().encode(text));
          text = '';
        },
      }),
    );
  const unreachable = (): Promise<Response> => Promise.reject(new TypeError('Failed to fetch'));
  const refusal = (status: number, code: string) => (): Response =>
    new Response(JSON.stringify({ code, detail: 'No.', requestId: 'request' }), { status });
  const play = async (begin: RunInput | 'join' = input): Promise<readonly string[]> => {
    const types: string[] = [];
    const options = { signal: abort.signal, onConnection: (isLost: boolean) => connection.push(isLost) };
    const played = (async () => {
      for await (const { type } of runEvents(place, begin === 'join' ? undefined : begin, options))
        types.push(type);
    })();
    const ended = played.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([ended, jest.advanceTimersByTimeAsync(10_000).then(() => false)])));
    await played;
    return types;
  };
  const all = ['RUN_STARTED', 'TEXT_MESSAGE_START', 'RUN_FINISHED'];

  it('begins a run under its name, and ends with it', async () => {
    answers = [body(STARTED + TEXT + FINISHED)];
    expect(await play()).toEqual(all);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      path: '/invocations',
      init: {
        method: 'POST',
        headers: { 'idempotency-key': 'run' },
        body: '{"sessionId":"one","message":"hello"}',
      },
    });
    expect(connection).toEqual([]);
  });

  it.each([
    ['breaks', broken(STARTED + TEXT)],
    ['ends too early', body(STARTED + TEXT)],
  ])('reads on after the last event where the connection %s', async (_name, first) => {
    answers = [first, unreachable, refusal(503, 'x'), body(FINISHED)];
    expect(await play()).toEqual(all);
    expect(asked.slice(1).map(({ path }) => path)).toEqual(Array(3).fill('/runs/run/events?sessionId=one'));
    expect(asked.at(-1)?.init.headers).toMatchObject({ 'last-event-id': '2' });
    expect(connection).toEqual([true, true, true, false]);
  });

  it('asks again for a run that may not have begun', async () => {
    answers = [unreachable, body(STARTED + TEXT + FINISHED)];
    expect(await play()).toEqual(all);
    expect(asked.map(({ path }) => path)).toEqual(['/invocations', '/invocations']);
  });

  it('joins a run that another tab has begun, from its beginning', async () => {
    answers = [body(STARTED + FINISHED)];
    expect(await play('join')).toEqual(['RUN_STARTED', 'RUN_FINISHED']);
    expect(asked[0]?.path).toBe('/runs/run/events?sessionId=one');
    expect(asked[0]?.init.headers).not.toHaveProperty('last-event-id');
  });

  it('tells a refusal', async () => {
    answers = [refusal(409, 'session_busy')];
    const refused = await play().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Problem);
    expect(refused).toMatchObject({
      code: 'session_busy',
      message: 'No.',
      requestId: 'request',
      status: 409,
    });
  });

  it('tells that nobody is signed in any more', async () => {
    answers = [() => new Response('Unauthorized', { status: 401 })];
    await expect(play()).rejects.toBeInstanceOf(SignedOut);
  });

  it('gives up when the service stays away', async () => {
    answers = Array<() => Promise<Response>>(20).fill(unreachable);
    await expect(play()).rejects.toBeInstanceOf(Offline);
    expect(asked).toHaveLength(13);
  });
});
