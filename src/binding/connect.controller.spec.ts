import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Audit } from '../audit/index.js';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { AppError } from '../common/errors/index.js';
import { testApp } from '../common/http/testing/app.js';
import type { AppConfig } from '../config/index.js';
import { FlowTickets, type FlowTicket, type User } from '../identity/index.js';
import { ConnectController } from './connect.controller.js';
import { FlowCookies } from './flow-cookies.js';
import { TICKET as ticket } from '../identity/testing/flow.js';

const config = { flowSecret: 'x'.repeat(32), publicUrl: 'https://a.example' } as AppConfig;
const alice: User = { sub: 'alice', displayName: 'Alice (a@x)' };
const sessionUri = 'urn:ietf:params:oauth:request_uri:abc';

describe('the connect page', () => {
  let tickets: FlowTickets;
  const cookies = new FlowCookies(config);
  let trail: readonly RecordedLine[];
  let app: NestFastifyApplication;

  const appFor = async (user: User): Promise<NestFastifyApplication> => {
    tickets = new FlowTickets(config);
    const recorded = recordedAudit();
    trail = recorded.lines;
    return testApp(
      {
        controllers: [ConnectController],
        providers: [
          { provide: FlowTickets, useValue: tickets },
          { provide: FlowCookies, useValue: cookies },
          { provide: Audit, useValue: recorded.audit },
        ],
      },
      user,
    );
  };
  beforeEach(async () => {
    app = await appFor(alice);
  });
  afterEach(() => app.close());

  const sealedOf = async (more: Partial<FlowTicket> = {}): Promise<string> => {
    const url = new URL(await tickets.connectUrl({ ...ticket, ...more }));
    return url.searchParams.get('ticket') ?? '';
  };
  const ask = (query: Record<string, string | string[]>) =>
    app.inject({ method: 'GET', url: '/oauth2/connect', query });
  const go = (payload: unknown) =>
    app.inject({
      method: 'POST',
      url: '/oauth2/connect',
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify(payload),
    });

  it('says who asks for what, and carries the ticket in its form', async () => {
    const sealed = await sealedOf();
    const { statusCode, headers, body } = await ask({ ticket: sealed });
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    for (const text of [sealed, 'Alice (a@x)', 'GitHub', 'Read your profile', 'Read it'])
      expect(body).toContain(text);
    expect(headers['set-cookie']).toBeUndefined();
    expect(trail).toMatchObject([{ event: 'consent_opened', user: 'alice', ...ticket.consent }]);
  });

  it('sends the browser on with the flow cookie', async () => {
    const { statusCode, headers } = await go({ ticket: await sealedOf() });
    expect([statusCode, headers.location]).toEqual([303, ticket.authorizationUrl]);
    const cookie = String(headers['set-cookie']).split(';')[0];
    expect(await cookies.read(cookie, sessionUri)).toEqual({
      sub: 'alice',
      sessionUri,
      customState: 's',
      providerLabel: 'GitHub',
      consent: ticket.consent,
      expiresAt: ticket.expiresAt,
      done: false,
    });
    expect(trail).toMatchObject([{ event: 'consent_started', user: 'alice', ...ticket.consent }]);
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
  ])('leads nowhere with %s', async (_name, payload, reason) => {
    const answer = await go(payload);
    expect(answer.json()).toMatchObject({ status: 400, code: 'flow_invalid' });
    expect([answer.headers.location, answer.headers['set-cookie']]).toEqual([undefined, undefined]);
    expect(trail).toMatchObject([refused('flow_invalid', reason)]);
  });

  it('tells that a ticket has expired', async () => {
    const answer = await ask({ ticket: await sealedOf({ expiresAt: Date.now() - 5_000 }) });
    expect(answer.json()).toMatchObject({ code: 'flow_expired' });
    expect(trail).toMatchObject([refused('flow_expired', 'sealed_token_expired')]);
  });

  it("refuses another user's ticket, by either door, and records what it was for", async () => {
    const sealed = await sealedOf({ sub: 'bob' });
    for (const answer of [await ask({ ticket: sealed }), await go({ ticket: sealed })]) {
      expect(answer.json()).toMatchObject({ status: 403, code: 'flow_wrong_account' });
      expect([answer.headers.location, answer.headers['set-cookie']]).toEqual([undefined, undefined]);
    }
    const line = { ...refused('flow_wrong_account', 'ticket_of_another_user'), ...ticket.consent };
    expect(trail).toMatchObject([line, line]);
  });

  it('says that a reason is not known', async () => {
    tickets.open = () => Promise.reject(new AppError('flow_invalid'));
    expect((await ask({ ticket: 'x' })).json()).toMatchObject({ code: 'flow_invalid' });
    expect(trail).toMatchObject([refused('flow_invalid', 'unknown')]);
  });

  it('records a refusal when it fails for a reason of its own, too', async () => {
    tickets.open = () => Promise.reject(new Error('broken'));
    const answer = await ask({ ticket: 'x' });
    expect(answer.json()).toMatchObject({ status: 500, code: 'internal_error' });
    expect(trail).toMatchObject([{ event: 'consent_refused', user: 'alice', code: 'internal_error' }]);
  });
});
