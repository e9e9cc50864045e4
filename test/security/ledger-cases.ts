import { createHash } from 'node:crypto';
import { BUCKET } from '../../local/stack.ts';
import { flowIdOf } from '../../src/identity/flow/flow-record.js';
import { subjectOf } from '../support/world.ts';
import {
  ALICE,
  BOB,
  browserOf,
  changed,
  flowCookie,
  flowOf,
  ticketOf,
  type BindingCase,
  type Situation,
} from './binding-situation.ts';

/** The callback in a browser of Alice, with a flow cookie that the attacker made. */
const withCookie = (
  what: string,
  make: (value: string, situation: Situation) => string | Promise<string>,
): BindingCase => ({
  user: 'Alice',
  browser: `A, cookie: ${what}`,
  what: 'the callback',
  page: 'wrong browser',
  vault: 'nothing',
  audit: 'binding_refused',
  act: async (situation) => {
    const [name, value] = await flowCookie(situation);
    const browser = await browserOf(situation, ALICE, [[name, await make(value, situation)]]);
    return browser.navigate(situation.back.href);
  },
});
/** The callback after a change of the flow's record in the ledger. */
const withLedger = (
  what: string,
  page: BindingCase['page'],
  audit: string,
  change: (record: object) => object,
): BindingCase => ({
  user: 'Alice',
  browser: 'A',
  what: `the callback, ${what}`,
  page,
  vault: 'nothing',
  audit,
  act: async (situation) => {
    const { store } = situation.world.stack.s3;
    const key = `flows/${flowIdOf(situation.back.searchParams.get('session_id') ?? '')}.json`;
    const record = JSON.parse(store.get(BUCKET, key, {}).body.toString()) as object;
    store.put(BUCKET, key, Buffer.from(JSON.stringify(change(record))), {});
    return situation.a.navigate(situation.back.href);
  },
});
/** The cases for the flow cookie, for the record in the ledger, and for earlier events of the flow. */
export const LEDGER_CASES: readonly BindingCase[] = [
  withCookie('a character of it changed', (value) => (value.startsWith('A') ? 'B' : 'A') + value.slice(1)),
  withCookie('one character less', (value) => value.slice(1)),
  withCookie('one character more', (value) => `${value}A`),
  withCookie('its digest', (value) => createHash('sha256').update(value).digest('base64url')),
  withCookie('empty', () => ''),
  withCookie('3,900 characters', () => 'x'.repeat(3_900)),
  withCookie('an unsecured JWT', () => 'eyJhbGciOiJub25lIn0.eyJ2YWx1ZSI6e319.'),
  withCookie('a ticket instead of it', (_value, situation) => ticketOf(situation)),
  withCookie("another user's nonce", async (_value, { world }) => {
    const bob = await flowOf(world, await world.signIn(BOB), 'bob-octo');
    return (await flowCookie(bob))[1];
  }),
  withCookie("another flow's nonce", async (_value, { world }) => {
    const other = await flowOf(world, await world.signIn(ALICE), 'alice-octo');
    return (await flowCookie(other))[1];
  }),
  withLedger('the record expired', 'expired', 'binding_refused', (record) => ({
    ...record,
    expiresAt: Date.now() - 1,
  })),
  withLedger("Bob's name in the record", 'wrong account', 'binding_refused', (record) => ({
    ...record,
    sub: subjectOf(BOB),
  })),
  withLedger('no browser in the record', 'wrong browser', 'binding_refused', (record) => ({
    ...record,
    browsers: [],
  })),
  withLedger('the record of a newer version', 'unchecked', 'binding_failed', (record) => ({
    ...record,
    version: 2,
  })),
  withLedger('the record without a member', 'unchecked', 'binding_failed', (record) => ({
    ...record,
    customState: undefined,
  })),
  withLedger('the record denied', 'denied', 'nothing', (record) => ({ ...record, state: 'denied' })),
  withLedger('the record burnt', 'burnt', 'binding_refused', (record) => ({ ...record, state: 'burnt' })),
  {
    user: 'Alice',
    browser: 'A',
    what: 'the callback, after it was opened in B',
    page: 'burnt',
    vault: 'nothing',
    audit: 'binding_refused',
    act: async (s) => {
      await (await browserOf(s, ALICE)).navigate(s.back.href);
      return s.a.navigate(s.back.href);
    },
  },
  {
    user: 'Alice',
    browser: 'A',
    what: 'the callback, after Bob had brought it',
    page: 'burnt',
    vault: 'nothing',
    audit: 'binding_refused',
    act: async (s) => {
      await (await browserOf(s, BOB, [await flowCookie(s)])).navigate(s.back.href);
      return s.a.navigate(s.back.href);
    },
  },
  {
    user: 'Alice',
    browser: 'A',
    what: 'the callback, after she had denied',
    page: 'denied',
    vault: 'nothing',
    audit: 'consent_denied',
    act: async (s) => {
      await s.a.navigate(
        changed(s.back, (query) => {
          query.set('error', 'access_denied');
        }),
      );
      return s.a.navigate(s.back.href);
    },
  },
];
