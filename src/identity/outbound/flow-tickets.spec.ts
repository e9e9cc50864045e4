import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { AppConfig } from '../../config/index.js';
import { FlowTickets } from './flow-tickets.js';
import { SealedToken } from './sealed-token.js';
import { TICKET as ticket } from '../testing/flow.js';

const secret = 'x'.repeat(32);
const tickets = new FlowTickets({ flowSecret: secret, publicUrl: 'https://a.example' } as AppConfig);
const sealedIn = (url: string): string => new URL(url).searchParams.get('ticket') ?? '';

describe('FlowTickets', () => {
  it('lead to the connect page of this application, and nowhere else', async () => {
    const url = new URL(await tickets.connectUrl(ticket));
    expect([url.origin, url.pathname]).toEqual(['https://a.example', '/oauth2/connect']);
    expect([...url.searchParams.keys()]).toEqual(['ticket']);
    expect(url.hash).toBe('');
  });

  it('come back as they were', async () => {
    expect(await tickets.open(sealedIn(await tickets.connectUrl(ticket)))).toStrictEqual(ticket);
  });

  it('expire when they say', async () => {
    const late = await tickets.connectUrl({ ...ticket, expiresAt: Date.now() - 5_000 });
    await expect(tickets.open(sealedIn(late))).rejects.toMatchObject({ code: 'flow_expired' });
  });

  const sealedFor = (purpose: string, value: object): Promise<string> =>
    new SealedToken({ secret, purpose, schema: z.looseObject({}) }).seal({ ...value }, ticket.expiresAt);

  it('are what was sealed as a ticket', async () => {
    expect(await tickets.open(await sealedFor('flow-ticket', ticket))).toStrictEqual(ticket);
  });

  it.each<[string, string, object]>([
    ['what was sealed for something else', 'flow-cookie', ticket],
    ['a ticket with more', 'flow-ticket', { ...ticket, more: 1 }],
    ['a ticket with more words', 'flow-ticket', { ...ticket, words: { ...ticket.words, more: 1 } }],
    ['a ticket without words', 'flow-ticket', { ...ticket, words: {} }],
    [
      'a ticket with scopes that are no text',
      'flow-ticket',
      { ...ticket, words: { ...ticket.words, scopes: [1] } },
    ],
    ['a ticket without a consent', 'flow-ticket', { ...ticket, consent: undefined }],
    ['a ticket without an address', 'flow-ticket', { ...ticket, authorizationUrl: 'nowhere' }],
  ])('are not %s', async (_name, purpose, value) => {
    await expect(tickets.open(await sealedFor(purpose, value))).rejects.toMatchObject({
      code: 'flow_invalid',
    });
  });
});
