import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ConversationView } from '../net/api.ts';
import { Chat } from './chat.ts';
import type { ChatEvents, TabMessage } from './chat-types.ts';

const CARD = { id: 'interrupt-1', reason: 'approval_required', metadata: {} };
const stream = (...events: readonly object[]): Response =>
  new Response(events.map((event, n) => `id: ${String(n + 1)}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
const started = { type: 'RUN_STARTED' };
const finished = { type: 'RUN_FINISHED', outcome: { type: 'success' } };
const waits = { type: 'RUN_FINISHED', outcome: { type: 'interrupt', interrupts: [CARD] } };
const said = (text: string): readonly object[] => [
  { type: 'TEXT_MESSAGE_START', messageId: text },
  { type: 'TEXT_MESSAGE_CONTENT', messageId: text, delta: text },
  { type: 'TEXT_MESSAGE_END', messageId: text },
];
const refusal = (status: number, code: string): Response =>
  new Response(JSON.stringify({ code, detail: 'No.', requestId: 'request' }), { status });
const view = (more: Partial<ConversationView> = {}): Response =>
  new Response(JSON.stringify({ sessionId: 'one', title: '', turns: [], interrupts: [], ...more }));
const turn = (runId: string, text: string, outcome = 'success') => ({
  seq: 1,
  runId,
  outcome,
  messages: [{ role: 'user' as const, text }],
});

describe('Chat', () => {
  let runs: (() => Response | Promise<Response>)[];
  let views: (() => Response | Promise<Response>)[];
  let asked: string[];
  let told: string[];
  let tabs: TabMessage[];
  let failures: unknown[];

  beforeEach(() => {
    [runs, views, asked, told, tabs, failures] = [[], [], [], [], [], []];
    jest.spyOn(globalThis, 'fetch').mockImplementation((path, init = {}) => {
      const address = `${init.method ?? 'GET'} ${path as string}`;
      asked.push(address);
      if (address.includes('/stop')) return Promise.resolve(new Response(null, { status: 204 }));
      const answers = address.startsWith('GET /sessions') ? views : runs;
      return Promise.resolve((answers.shift() ?? (() => refusal(404, 'session_not_found')))());
    });
    Object.assign(globalThis, { addEventListener: () => undefined, removeEventListener: () => undefined });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const events: ChatEvents = {
    ended: () => told.push('ended'),
    failed: (error) => failures.push(error),
    tellTabs: (message) => tabs.push(message),
    begun: () => told.push('begun'),
    gone: () => told.push('gone'),
    nameOf: (provider) => provider,
  };
  const newChat = (): Chat => new Chat('one', 'new', events);
  const opened = async (more: Partial<ConversationView> = {}): Promise<Chat> => {
    const chat = new Chat('one', 'loading', events);
    views.push(() => view(more));
    await chat.open();
    return chat;
  };
  const idle = async (chat: Chat): Promise<void> => {
    do await new Promise((resolve) => setTimeout(resolve, 5));
    while (chat.isRunning.value);
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const shown = (chat: Chat): readonly string[] =>
    chat.items.value.map((item) => `${item.kind}: ${'text' in item ? item.text : item.name}`);

  it('shows a message and its answer, and tells other tabs once it can be joined', async () => {
    const chat = newChat();
    runs = [() => stream(started, ...said('Hello.'), finished)];
    chat.send('hi');
    await idle(chat);
    expect(shown(chat)).toEqual(['user: hi', 'answer: Hello.']);
    expect(told).toEqual(['begun', 'ended']);
    expect(tabs).toMatchObject([{ type: 'run_started', sessionId: 'one', text: 'hi' }]);
    expect(chat.ending.value).toBe('complete');
  });

  it('keeps what could not be sent: the message, and those that wait', async () => {
    const chat = newChat();
    runs = [() => refusal(429, 'too_many_runs')];
    chat.send('first');
    chat.send('second');
    await idle(chat);
    expect(chat.unsent.value).toBe('first');
    expect(chat.queue.value).toEqual(['second']);
    expect(shown(chat)).toEqual(['error: No.']);
    expect(asked).toEqual(['POST /invocations']);
  });

  it('keeps a card whose answer was refused', async () => {
    const chat = await opened({ turns: [turn('a', 'hi', 'interrupt')], interrupts: [CARD] });
    runs = [() => refusal(429, 'too_many_runs'), () => stream(started, finished)];
    views = [() => view({ turns: [turn('a', 'hi', 'interrupt')], interrupts: [CARD] })];
    chat.answer(CARD.id, { status: 'resolved' });
    await idle(chat);
    expect(chat.interrupts.value).toEqual([CARD]);
    expect(chat.answers.value.size).toBe(0);
    chat.answer(CARD.id, { status: 'resolved' });
    await idle(chat);
    expect(chat.interrupts.value).toEqual([]);
  });

  it('shows a card again whose run was stopped before it began', async () => {
    const chat = await opened({ turns: [turn('a', 'hi', 'interrupt')], interrupts: [CARD] });
    runs = [() => stream(started, { type: 'RUN_FINISHED', outcome: { type: 'cancelled' } })];
    views = [() => view({ turns: [turn('a', 'hi', 'interrupt')], interrupts: [CARD] })];
    chat.answer(CARD.id, { status: 'resolved' });
    await idle(chat);
    expect(chat.interrupts.value).toEqual([CARD]);
  });

  it('plays a run once, whoever tells of it and however often', async () => {
    const chat = newChat();
    runs = [() => stream(started, ...said('Hello.'), finished)];
    const message = { type: 'run_started', sessionId: 'one', runId: 'run', text: 'hi' } as const;
    chat.hear(message);
    await idle(chat);
    chat.hear(message);
    await idle(chat);
    expect(shown(chat)).toEqual(['user: hi', 'answer: Hello.']);
    expect(asked).toEqual(['GET /runs/run/events?sessionId=one']);
  });

  it('is brought up to date where another device has gone on', async () => {
    const chat = await opened({ turns: [turn('a', 'hi')] });
    runs = [() => refusal(409, 'interrupt_not_pending')];
    views = [() => view({ turns: [turn('a', 'hi'), turn('b', 'from elsewhere')] })];
    chat.send('mine');
    await idle(chat);
    expect(shown(chat)).toEqual([
      'user: hi',
      'user: from elsewhere',
      'note: This conversation has gone on elsewhere. This page is up to date now.',
    ]);
    expect(chat.unsent.value).toBe('mine');
  });

  it('stays as it is where nothing has changed, with its links', async () => {
    const chat = newChat();
    runs = [() => stream(started, { ...waits })];
    chat.send('hi');
    await idle(chat);
    const { runId = '' } = tabs[0] as { runId?: string };
    const [items, interrupts] = [chat.items.value, chat.interrupts.value];
    views = [() => view({ turns: [turn(runId, 'hi', 'interrupt')], interrupts: [{ ...CARD }] })];
    await chat.refresh();
    expect(chat.items.value).toBe(items);
    expect(chat.interrupts.value).toBe(interrupts);
  });

  it('shows what came before a run that another tab began while it was read', async () => {
    const chat = new Chat('one', 'loading', events);
    let answer: (response: Response) => void = () => undefined;
    views = [() => new Promise((resolve) => (answer = resolve))];
    let end: () => void = () => undefined;
    const later = new Promise<void>((resolve) => (end = resolve));
    runs = [async () => (await later, stream(started, ...said('Hello.'), finished))];
    const opening = chat.open();
    chat.hear({ type: 'run_started', sessionId: 'one', runId: 'b', text: 'and now?' });
    answer(view({ turns: [turn('a', 'before')] }));
    await opening;
    end();
    await idle(chat);
    expect(shown(chat)).toEqual(['user: before', 'user: and now?', 'answer: Hello.']);
  });

  it('says when it is not there any more, and when it could not be read', async () => {
    const chat = await opened({ turns: [turn('a', 'hi')] });
    await chat.refresh();
    expect(told).toEqual(['gone']);
    const other = new Chat('one', 'loading', events);
    views = [() => refusal(503, 'sessions_unavailable')];
    await other.open();
    expect(other.phase.value).toBe('failed');
    expect(failures).toHaveLength(1);
    views = [() => view({ turns: [turn('a', 'hi')] })];
    await other.refresh();
    expect(shown(other)).toEqual(['user: hi']);
  });

  it('stops what has not begun by not sending it', async () => {
    const chat = newChat();
    runs = [() => Promise.reject(new TypeError('Failed to fetch'))];
    chat.send('hi');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await chat.stop();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(chat.isRunning.value).toBe(false);
    expect(chat.unsent.value).toBe('hi');
    expect(chat.items.value).toEqual([]);
    expect(failures).toEqual([]);
  });

  it('offers to send again what broke off', async () => {
    const chat = newChat();
    runs = [() => stream(started, { type: 'RUN_ERROR', message: 'No.', code: 'model_unavailable' })];
    chat.send('hi');
    chat.send('waits');
    await idle(chat);
    expect(chat.again.value).toBe('hi');
    expect(chat.queue.value).toEqual(['waits']);
    expect((await opened({ turns: [turn('a', 'hi', 'abandoned')] })).again.value).toBe('hi');
  });
});
