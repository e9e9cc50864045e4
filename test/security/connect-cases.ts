import { subjectOf } from '../support/world.ts';
import {
  ANOTHER_SECRET,
  BOB,
  browserOf,
  flowCookie,
  postTicket,
  resealed,
  resultOf,
  tampered,
  ticketOf,
  toProviderAlone,
  withoutEffect,
  type BindingCase,
  type Situation,
} from './binding-situation.ts';

/** The connect page in Alice's browser, with a ticket that the attacker made. */
const withTicket = (
  what: string,
  page: BindingCase['page'],
  make: (ticket: string, situation: Situation) => string | Promise<string>,
): BindingCase => ({
  user: 'Alice',
  browser: 'A',
  what: `connect page, ${what}`,
  page,
  vault: 'nothing',
  audit: 'consent_refused',
  act: async (situation) => {
    const ticket = await make(ticketOf(situation), situation);
    return situation.a.navigate(`${situation.world.url}/oauth2/connect?ticket=${encodeURIComponent(ticket)}`);
  },
});
/** The same cases for the page before consent. */
export const CONNECT_CASES: readonly BindingCase[] = [
  {
    user: 'Alice',
    browser: 'A',
    what: 'the connect page',
    page: 'connect',
    vault: 'nothing',
    audit: 'consent_opened',
    act: ({ a, connectUrl }) => a.navigate(connectUrl),
  },
  {
    user: 'Alice',
    browser: 'A',
    what: 'the connect page with additional next= and redirect_uri=, and its button',
    page: 'on to the provider',
    vault: 'nothing',
    audit: 'consent_started',
    act: async ({ world, a, connectUrl }) =>
      toProviderAlone(
        world,
        await a.submit(
          await a.navigate(`${connectUrl}&next=https://evil.example&redirect_uri=https://evil.example`),
        ),
      ),
  },
  {
    user: 'Bob',
    browser: 'B',
    what: "Alice's connect link",
    page: 'wrong account',
    vault: 'nothing',
    audit: 'consent_refused',
    act: async (s) => (await browserOf(s, BOB)).navigate(s.connectUrl),
  },
  {
    user: 'Bob',
    browser: 'B',
    what: "the form of Alice's connect page",
    page: 'wrong account',
    vault: 'nothing',
    audit: 'consent_refused',
    act: async (s) => {
      const bob = await browserOf(s, BOB);
      return resultOf(bob, s.world, withoutEffect(await postTicket(bob, s)));
    },
  },
  {
    user: 'Alice',
    browser: 'A',
    what: 'the form, sent by another site',
    page: 'cross-site',
    vault: 'nothing',
    audit: 'nothing',
    act: async (s) =>
      withoutEffect(
        await postTicket(s.a, s, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }),
      ),
  },
  {
    user: 'Alice',
    browser: 'A',
    what: 'the form as JSON',
    page: 'no form',
    vault: 'nothing',
    audit: 'nothing',
    act: async (s) => withoutEffect(await postTicket(s.a, s, { 'content-type': 'application/json' })),
  },
  withTicket('ticket empty', 'invalid', () => ''),
  withTicket('ticket is a word', 'invalid', () => 'ticket'),
  withTicket('ticket of five parts', 'invalid', () => 'a.b.c.d.e'),
  withTicket('ticket of 9,000 characters', 'invalid', () => 'x'.repeat(9_000)),
  withTicket('a byte of the ticket changed', 'invalid', tampered),
  withTicket('ticket sealed with another secret', 'invalid', (ticket, situation) =>
    resealed(situation, ticket, 'flow-ticket', {}, undefined, ANOTHER_SECRET),
  ),
  withTicket('ticket expired', 'expired', (ticket, situation) =>
    resealed(situation, ticket, 'flow-ticket', {}, Date.now() - 5_000),
  ),
  withTicket("Bob's name in the ticket", 'wrong account', (ticket, situation) =>
    resealed(situation, ticket, 'flow-ticket', { sub: subjectOf(BOB) }),
  ),
  withTicket(
    'the flow cookie instead of the ticket',
    'invalid',
    async (_ticket, situation) => (await flowCookie(situation))[1],
  ),
  {
    user: 'Alice',
    browser: 'A',
    what: 'the connect page, the ticket twice',
    page: 'invalid',
    vault: 'nothing',
    audit: 'consent_refused',
    act: (s) => s.a.navigate(`${s.connectUrl}&ticket=${ticketOf(s)}`),
  },
];
