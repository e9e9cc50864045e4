import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppError } from '../common/errors/index.js';
import { Audit } from '../audit/index.js';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { testApp } from '../common/http/testing/app.js';
import { Conversations, type Transcript } from './conversations.js';
import { SessionsController } from './sessions.controller.js';
import { conversationDetail, conversationList } from './sessions.schemas.js';
import { consentInterrupt } from './testing/messages.js';

const summary = {
  sessionId: 'one',
  title: 'hello',
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:01.000Z',
};
const transcript: Transcript = {
  summary,
  turns: [
    {
      seq: 3,
      runId: 'run',
      startedAt: 0,
      endedAt: 1_000,
      outcome: 'interrupt',
      messages: [
        { role: 'user', content: [{ text: 'hello' }] },
        { role: 'assistant', content: [{ toolUse: { toolUseId: 'a', name: 'read_it', input: {} } }] },
        {
          role: 'user',
          content: [{ toolResult: { toolUseId: 'a', status: 'success', content: [{ json: { b: 1 } }] } }],
        },
      ],
    },
  ],
  nextBefore: 3,
  pending: {
    interrupts: [consentInterrupt(1, 'a')],
    snapshot: null,
    resumable: true,
  },
  busy: false,
};

describe('the conversations over HTTP', () => {
  let asked: unknown[];
  let app: NestFastifyApplication;
  let fault: AppError | undefined;
  let trail: readonly RecordedLine[];

  beforeEach(async () => {
    [asked, fault] = [[], undefined];
    const answering =
      (name: string, value: unknown) =>
      (...parameters: readonly unknown[]): Promise<unknown> => {
        asked.push([name, ...parameters]);
        return fault === undefined ? Promise.resolve(value) : Promise.reject(fault);
      };
    const conversations = {
      list: answering('list', { sessions: [summary], next: 'line' }),
      read: answering('read', transcript),
      rename: answering('rename', undefined),
      delete: answering('delete', undefined),
    };
    const recorded = recordedAudit();
    trail = recorded.lines;
    app = await testApp(
      {
        controllers: [SessionsController],
        providers: [
          { provide: Conversations, useValue: conversations },
          { provide: Audit, useValue: recorded.audit },
        ],
      },
      { sub: 'alice' },
    );
  });
  afterEach(() => app.close());

  const get = (url: string) => app.inject({ url });

  const rename = (payload: object) => app.inject({ method: 'PATCH', url: '/sessions/one', payload });

  it('record who has done what with which, and nothing that failed', async () => {
    await get('/sessions');
    await get('/sessions/one');
    await rename({ title: 'new' });
    await app.inject({ method: 'DELETE', url: '/sessions/one' });
    const whole = { user: 'alice', sessionId: 'one' };
    const expected = [
      { event: 'conversations_listed', user: 'alice' },
      { event: 'conversation_read', ...whole },
      { event: 'conversation_renamed', ...whole },
      { event: 'conversation_deleted', ...whole },
    ];
    expect(trail).toMatchObject(expected);
    fault = new AppError('session_not_found');
    await get('/sessions/one');
    await rename({ title: 'new' });
    await app.inject({ method: 'DELETE', url: '/sessions/one' });
    expect(trail).toHaveLength(expected.length);
  });

  it.each([
    ['', { limit: 20 }],
    ['?limit=1', { limit: 1 }],
    ['?limit=100&after=8204-one', { limit: 100, after: '8204-one' }],
  ])('are listed for their user: %j', async (query, page) => {
    const answer = await get(`/sessions${query}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ sessions: [summary], next: 'line' });
    expect(conversationList.parse(answer.json())).toEqual(answer.json());
    expect(asked).toEqual([['list', 'alice', page]]);
  });

  it.each([
    ['', { limit: 20 }],
    ['?limit=1&before=1', { limit: 1, before: 1 }],
    ['?limit=100', { limit: 100 }],
    ['?before=7', { limit: 20, before: 7 }],
  ])('are read by their user, and as documented: %j', async (query, page) => {
    const answer = await get(`/sessions/one${query}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ ...summary, nextBefore: 3, interrupts: [{ id: 'interrupt-1' }] });
    // The schema drops what it does not know: nothing is answered beside what is documented.
    expect(conversationDetail.parse(answer.json())).toEqual(answer.json());
    expect(asked).toStrictEqual([['read', 'alice', 'one', page]]);
  });

  it('are renamed by their user, which answers nothing', async () => {
    expect(await rename({ title: '  Trams in Bern ' })).toMatchObject({ statusCode: 204, body: '' });
    expect(asked).toEqual([['rename', 'alice', 'one', 'Trams in Bern']]);
  });

  it.each([
    {},
    { title: '' },
    { title: ' ' },
    { title: 1 },
    { title: 'x'.repeat(81) },
    { title: 'x', more: 1 },
  ])('have no such title: %j', async (payload) => {
    expect((await rename(payload)).json()).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(asked).toEqual([]);
  });

  it('are deleted by their user, which answers nothing', async () => {
    const answer = await app.inject({ method: 'DELETE', url: '/sessions/one' });
    expect(answer).toMatchObject({ statusCode: 204, body: '' });
    expect(asked).toEqual([['delete', 'alice', 'one']]);
  });

  it.each(
    ['limit=0', 'limit=101', 'limit=1.5', 'limit=x', 'limit=1&limit=2', 'other=1'].flatMap((query) => [
      [`/sessions?${query}`],
      [`/sessions/one?${query}`],
    ]),
  )('take nothing else: %s', async (url) => {
    expect((await get(url)).json()).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(asked).toEqual([]);
  });

  it.each([
    '/sessions?before=1',
    '/sessions/one?before=0',
    '/sessions/one?before=1.5',
    '/sessions/one?before=9007199254740992',
  ])('have no such page: %s', async (url) => {
    expect((await get(url)).json()).toMatchObject({ code: 'invalid_request' });
    expect(asked).toEqual([]);
  });

  it.each([
    ['GET', '/sessions'],
    ['GET', '/sessions/one'],
    ['DELETE', '/sessions/one'],
  ] as const)('pass a refusal on: %s %s', async (method, url) => {
    fault = new AppError('session_not_found');
    expect((await app.inject({ method, url })).json()).toMatchObject({ status: 404, code: fault.code });
  });
});
