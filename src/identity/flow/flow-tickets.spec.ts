import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { FlowTickets } from './flow-tickets.js';
import { SealedToken } from './sealed-token.js';
import { FLOWS, TICKET as ticket } from '../testing/flow.js';

const tickets = new FlowTickets(FLOWS);
const sealedIn = (url: string): string => new URL(url).searchParams.get('ticket') ?? '';

describe('FlowTickets', () => {
  it('lead only to the connect page of this application', async () => {
    const url = new URL(await tickets.connectUrl(ticket));
    expect(url.origin).toBe('https://a.example');
    expect(url.pathname).toBe('/oauth2/connect');
    expect([...url.searchParams.keys()]).toEqual(['ticket']);
    expect(url.hash).toBe('');
  });

  it('are opened unchanged', async () => {
    expect(await tickets.open(sealedIn(await tickets.connectUrl(ticket)))).toStrictEqual(ticket);
  });

  it('expire at their expiry time', async () => {
    const late = await tickets.connectUrl({ ...ticket, expiresAt: Date.now() - 5_000 });
    await expect(tickets.open(sealedIn(late))).rejects.toMatchObject({ code: 'flow_expired' });
  });

  const sealedFor = (purpose: string, value: object): Promise<string> =>
    new SealedToken({ flow: FLOWS, purpose, schema: z.looseObject({}) }).seal({ ...value }, ticket.expiresAt);

  it('are opened only if they were sealed as a ticket', async () => {
    expect(await tickets.open(await sealedFor('flow-ticket', ticket))).toStrictEqual(ticket);
  });

  it.each<[string, string, object]>([
    ['a value that was sealed for another purpose', 'flow-cookie', ticket],
    ['a ticket with more', 'flow-ticket', { ...ticket, more: 1 }],
    ['a ticket with more to show', 'flow-ticket', { ...ticket, display: { ...ticket.display, more: 1 } }],
    ['a ticket with nothing to show', 'flow-ticket', { ...ticket, display: {} }],
    [
      'a ticket with scopes that are no text',
      'flow-ticket',
      { ...ticket, display: { ...ticket.display, scopes: [1] } },
    ],
    ['a ticket without a consent', 'flow-ticket', { ...ticket, consent: undefined }],
    ['a ticket without an address', 'flow-ticket', { ...ticket, authorizationUrl: 'nowhere' }],
    [
      'a ticket to another origin',
      'flow-ticket',
      { ...ticket, authorizationUrl: 'https://identity.example.evil.example/authorize' },
    ],
    [
      'a ticket to the same host without encryption',
      'flow-ticket',
      { ...ticket, authorizationUrl: 'http://identity.example/authorize' },
    ],
  ])('are not %s', async (_name, purpose, value) => {
    await expect(tickets.open(await sealedFor(purpose, value))).rejects.toMatchObject({
      code: 'flow_invalid',
    });
  });
});
