import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Audit } from '../audit/index.js';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { AppError } from '../common/errors/index.js';
import { testApp } from '../common/http/testing/app.js';
import { FLOW_CONFIG } from '../config/index.js';
import {
  FlowLedger,
  flowIdOf,
  FlowTickets,
  type FlowState,
  type FlowTicket,
} from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import { FLOWS, TICKET as ticket } from '../identity/testing/flow.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { Connect } from './connect.js';
import { ConnectController } from './connect.controller.js';
import { BrowserAnswers } from './browser-answers.js';
import { FlowCookies } from './flow-cookies.js';
import { FlowResults } from './flow-results.js';

const alice: User = { sub: 'alice', displayName: 'Alice (a@x)' };
const { sessionUri } = ticket;
const flow = flowIdOf(sessionUri);
const BROWSER = { accept: 'text/html' };

describe('the connect page', () => {
  const tickets = new FlowTickets(FLOWS);
  const cookies = new FlowCookies(FLOWS);
  let store: MemoryStore;
  let ledger: FlowLedger;
  let trail: readonly RecordedLine[];
  let app: NestFastifyApplication;

  beforeEach(async () => {
    store = new MemoryStore();
    ledger = new FlowLedger(store);
    const recorded = recordedAudit();
    trail = recorded.lines;
    app = await testApp(
      {
        controllers: [ConnectController],
        providers: [
          Connect,
          BrowserAnswers,
          FlowResults,
          { provide: FLOW_CONFIG, useValue: FLOWS },
          { provide: FlowTickets, useValue: tickets },
          { provide: FlowLedger, useValue: ledger },
          { provide: FlowCookies, useValue: cookies },
          { provide: Audit, useValue: recorded.audit },
        ],
      },
      alice,
    );
    await ledger.ask(ticket);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await app.close();
  });

  const sealedOf = async (more: Partial<FlowTicket> = {}): Promise<string> => {
    const url = new URL(await tickets.connectUrl({ ...ticket, ...more }));
    return url.searchParams.get('ticket') ?? '';
  };
  const move = async (...states: readonly FlowState[]): Promise<void> => {
    for (const state of states) {
      const entry = await ledger.read(sessionUri);
      if (entry !== undefined) await ledger.advance(entry, { state });
    }
  };
  const entryNow = async () => {
    const entry = await ledger.read(sessionUri);
    if (entry === undefined) throw new Error('no such flow');
    return entry;
  };
  const ask = (query: Record<string, string | string[]>, headers: Record<string, string> = {}) =>
    app.inject({ method: 'GET', url: '/oauth2/connect', query, headers });
  const go = (payload: unknown, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/oauth2/connect',
      headers: { 'content-type': 'application/json', ...headers },
      payload: JSON.stringify(payload),
    });
  const cookieOf = ({ headers }: Awaited<ReturnType<typeof go>>): string =>
    String(headers['set-cookie']).split(';')[0] ?? '';

  it('shows the user, the tool and the scopes, and has the ticket in its form', async () => {
    const sealed = await sealedOf();
    const { statusCode, headers, body } = await ask({ ticket: sealed }, BROWSER);
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    for (const text of [sealed, 'Alice (a@x)', 'GitHub', 'Read your profile', 'Read it'])
      expect(body).toContain(text);
    expect(headers['set-cookie']).toBeUndefined();
    expect(trail).toMatchObject([{ event: 'consent_opened', user: 'alice', flow, ...ticket.consent }]);
    expect((await entryNow()).record.state).toBe('opened');
  });

  it('can be opened again, also after the button was pressed', async () => {
    const sealed = await sealedOf();
    await ask({ ticket: sealed });
    expect((await ask({ ticket: sealed })).statusCode).toBe(200);
    await move('started');
    expect((await ask({ ticket: sealed })).statusCode).toBe(200);
    expect((await entryNow()).record.state).toBe('started');
  });

  it('redirects the browser and sets the flow cookie', async () => {
    const answer = await go({ ticket: await sealedOf() });
    expect(answer.statusCode).toBe(303);
    expect(answer.headers.location).toEqual(ticket.authorizationUrl);
    const entry = await entryNow();
    expect(entry.record.state).toBe('started');
    expect(cookies.knows(entry, cookieOf(answer))).toBe(true);
    expect(trail).toMatchObject([{ event: 'consent_started', user: 'alice', flow, ...ticket.consent }]);
  });

  it('records each browser in which the user presses the button only once', async () => {
    const sealed = await sealedOf();
    const first = cookieOf(await go({ ticket: sealed }));
    expect(cookieOf(await go({ ticket: sealed }, { cookie: first }))).toBe(first);
    const second = cookieOf(await go({ ticket: sealed }));
    const entry = await entryNow();
    expect(cookies.knows(entry, first)).toBe(true);
    expect(cookies.knows(entry, second)).toBe(true);
    expect(entry.record.browsers).toHaveLength(2);
    for (let count = 0; count < 4; count += 1) await go({ ticket: sealed });
    const later = await entryNow();
    expect(later.record.browsers).toHaveLength(4);
    expect(cookies.knows(later, first)).toBe(false);
  });

  it('retries when two browsers write to the ledger at the same time', async () => {
    const put = store.put.bind(store);
    let conflicts = 1;
    store.put = (...parameters) =>
      conflicts-- > 0 ? Promise.resolve('conflict' as const) : put(...parameters);
    expect((await go({ ticket: await sealedOf() })).statusCode).toBe(303);
    store.put = () => Promise.resolve('conflict');
    expect((await go({ ticket: await sealedOf() })).json()).toMatchObject({ code: 'flows_unavailable' });
  });

  it.each<[readonly FlowState[], number, string]>([
    [['started', 'returned'], 200, 'is being connected'],
    [['started', 'returned', 'bound'], 200, 'is already connected'],
    [['started', 'denied'], 200, 'You did not authorize access'],
    [['expired'], 410, 'has expired'],
    [['burnt'], 403, 'was stopped'],
  ])(
    'shows the state of the flow (%j), and does not lead to the provider',
    async (states, status, sentence) => {
      await move(...states);
      const sealed = await sealedOf();
      const before = JSON.stringify(await entryNow());
      for (const answer of [await ask({ ticket: sealed }, BROWSER), await go({ ticket: sealed }, BROWSER)]) {
        expect(answer.statusCode).toBe(303);
        expect(answer.headers.location).toBe('/oauth2/connect');
        const cookie = cookieOf(answer);
        const page = await ask({}, { ...BROWSER, cookie });
        expect(page.statusCode).toEqual(status);
        expect(page.body).toContain(sentence);
        expect(page.body).not.toContain('BroadcastChannel');
      }
      expect(JSON.stringify(await entryNow())).toBe(before);
    },
  );

  it('reports an unknown flow as expired', async () => {
    store.objects.clear();
    expect((await ask({ ticket: await sealedOf() })).json()).toMatchObject({ code: 'flow_expired' });
  });

  it('is not shown while the ledger cannot be read', async () => {
    store.find = () => Promise.reject(new Error('down'));
    expect((await ask({ ticket: await sealedOf() })).json()).toMatchObject({ code: 'flows_unavailable' });
  });

  const refused = (code: string, reason: string): object => ({
    event: 'consent_refused',
    user: 'alice',
    code,
    reason,
  });

  it.each([
    ['no ticket', {}, 'ticket_missing'],
    ['an empty ticket', { ticket: '' }, 'ticket_missing'],
    ['two tickets', { ticket: ['a', 'b'] }, 'ticket_missing'],
    ['something else', { ticket: 'x' }, 'sealed_token'],
  ])('is not shown for %s', async (_name, query: Record<string, string | string[]>, reason) => {
    const answer = await ask(query);
    expect(answer.json()).toMatchObject({ status: 400, code: 'flow_invalid' });
    expect(trail).toMatchObject([refused('flow_invalid', reason)]);
  });

  it.each([
    ['no ticket', {}, 'ticket_missing'],
    ['an empty ticket', { ticket: '' }, 'ticket_missing'],
    ['two tickets', { ticket: ['a', 'b'] }, 'ticket_missing'],
    ['nothing', null, 'ticket_missing'],
    ['text', 'ticket', 'ticket_missing'],
    ['something else', { ticket: 'x' }, 'sealed_token'],
  ])('does not redirect with %s', async (_name, payload, reason) => {
    const answer = await go(payload);
    expect(answer.json()).toMatchObject({ status: 400, code: 'flow_invalid' });
    expect(answer.headers.location).toBeUndefined();
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(trail).toMatchObject([refused('flow_invalid', reason)]);
  });

  it('reports an expired ticket', async () => {
    const answer = await ask({ ticket: await sealedOf({ expiresAt: Date.now() - 5_000 }) });
    expect(answer.json()).toMatchObject({ code: 'flow_expired' });
    expect(trail).toMatchObject([refused('flow_expired', 'sealed_token_expired')]);
  });

  it("refuses another user's ticket on both routes, and records its owner and its consent", async () => {
    const sealed = await sealedOf({ sub: 'bob' });
    for (const answer of [await ask({ ticket: sealed }), await go({ ticket: sealed })]) {
      expect(answer.json()).toMatchObject({ status: 403, code: 'flow_wrong_account' });
      expect(answer.headers.location).toBeUndefined();
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    const line = {
      ...refused('flow_wrong_account', 'ticket_of_another_user'),
      flow,
      owner: 'bob',
      ...ticket.consent,
    };
    expect(trail).toMatchObject([line, line]);
    expect((await entryNow()).record.state).toBe('asked');
  });

  it("shows the refusal of another user's ticket at an address without the ticket", async () => {
    const answer = await ask({ ticket: await sealedOf({ sub: 'bob' }) }, BROWSER);
    expect(answer.statusCode).toBe(303);
    expect(answer.headers.location).toBe('/oauth2/connect');
    const page = await ask({}, { ...BROWSER, cookie: cookieOf(answer) });
    expect(page.statusCode).toBe(403);
    expect(page.body).toContain('another account');
    expect(page.body).not.toContain('bob');
  });

  it('records an unknown reason as unknown', async () => {
    jest.spyOn(tickets, 'open').mockRejectedValue(new AppError('flow_invalid'));
    expect((await ask({ ticket: 'x' })).json()).toMatchObject({ code: 'flow_invalid' });
    expect(trail).toMatchObject([refused('flow_invalid', 'unknown')]);
  });

  it('also records a refusal that an internal failure caused', async () => {
    jest.spyOn(tickets, 'open').mockRejectedValue(new Error('broken'));
    const answer = await ask({ ticket: 'x' }, BROWSER);
    expect(answer.statusCode).toBe(500);
    expect(answer.headers.location).toBeUndefined();
    expect(trail).toMatchObject([{ event: 'consent_refused', user: 'alice', code: 'internal_error' }]);
  });
});
