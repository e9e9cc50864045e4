import { beforeEach, describe, expect, it } from '@jest/globals';
import { recordedLog, type LoggedLine } from '../../common/logging/testing/recorded-log.js';
import { MemoryStore } from '../../storage/testing/memory-store.js';
import { CONSENT, TICKET as ticket } from '../testing/flow.js';
import { FlowLedger, type LedgerEntry } from './flow-ledger.js';
import { digestOf, FLOW_STATES, flowIdOf, hasEnded, mayFollow, type FlowState } from './flow-record.js';

const KEY = `flows/${flowIdOf(ticket.sessionUri)}.json`;

describe('FlowLedger', () => {
  let store: MemoryStore;
  let ledger: FlowLedger;
  let log: readonly LoggedLine[];

  beforeEach(async () => {
    log = recordedLog();
    store = new MemoryStore();
    ledger = new FlowLedger(store);
    await ledger.ask(ticket);
  });

  const entryNow = async (): Promise<LedgerEntry> => {
    const entry = await ledger.read(ticket.sessionUri);
    if (entry === undefined) throw new Error('no such flow');
    return entry;
  };

  it('keeps the digests that recognise a flow, and none of its secrets', async () => {
    expect([...store.objects.keys()]).toEqual([KEY]);
    expect((await entryNow()).record).toStrictEqual({
      version: 1,
      state: 'asked',
      sub: 'alice',
      provider: 'GitHub',
      consent: CONSENT,
      customState: digestOf('s'),
      browsers: [],
      updatedAt: expect.any(Number),
      expiresAt: ticket.expiresAt,
    });
    const text = store.objects.get(KEY)?.text ?? '';
    for (const secret of [ticket.sessionUri, ticket.authorizationUrl]) expect(text).not.toContain(secret);
  });

  it('keeps the account that was connected before', async () => {
    store.objects.clear();
    await ledger.ask({ ...ticket, display: { ...ticket.display, account: 'alice-octo' } });
    expect((await entryNow()).record.account).toBe('alice-octo');
  });

  it('accepts a session URI once', async () => {
    await expect(ledger.ask(ticket)).rejects.toMatchObject({
      code: 'flows_unavailable',
      reason: 'flow_asked_twice',
    });
  });

  it('finds no record of a flow that was not asked for', async () => {
    expect(await ledger.read('urn:another')).toBeUndefined();
  });

  it('changes the state of a flow, unless it has changed since it was read', async () => {
    const first = await entryNow();
    const moved = await ledger.advance(first, { state: 'started', browsers: ['b'] });
    expect(moved).toMatchObject({ record: { state: 'started', browsers: ['b'] } });
    expect(await ledger.advance(first, { state: 'burnt' })).toBe('conflict');
    expect((await entryNow()).record.state).toBe('started');
    expect(await entryNow()).toEqual(moved);
  });

  it('removes the claim of a completion at the next change of state', async () => {
    await ledger.advance(await entryNow(), { state: 'started' });
    await ledger.advance(await entryNow(), { state: 'returned', completingUntil: 5 });
    expect((await entryNow()).record.completingUntil).toBe(5);
    await ledger.advance(await entryNow(), { state: 'returned' });
    expect((await entryNow()).record).not.toHaveProperty('completingUntil');
  });

  it('never moves a flow backwards or beyond its end', async () => {
    await ledger.advance(await entryNow(), { state: 'started' });
    await expect(ledger.advance(await entryNow(), { state: 'opened' })).rejects.toThrow('must not change');
    await ledger.advance(await entryNow(), { state: 'burnt' });
    for (const state of FLOW_STATES)
      await expect(ledger.advance(await entryNow(), { state })).rejects.toThrow('must not change');
  });

  it.each(['', '{', '{}', 'null', '[]'])('fails on a broken record: %j', async (text) => {
    await store.put(KEY, text, { always: true });
    await expect(ledger.read(ticket.sessionUri)).rejects.toMatchObject({
      code: 'flows_unavailable',
      reason: 'flow_unreadable',
    });
    expect(log).toMatchObject([
      { level: 'error', context: 'FlowLedger', fields: { event: 'flow_unreadable' } },
    ]);
  });

  it.each<[string, object]>([
    ['of a newer version', { version: 2 }],
    ['with an additional member', { more: 1 }],
    ['in a state that does not exist', { state: 'lost' }],
    ['without a user', { sub: undefined }],
  ])('fails on a record %s', async (_name, change) => {
    const { text = '' } = store.objects.get(KEY) ?? {};
    await store.put(KEY, JSON.stringify({ ...(JSON.parse(text) as object), ...change }), { always: true });
    await expect(ledger.read(ticket.sessionUri)).rejects.toMatchObject({ reason: 'flow_unreadable' });
  });

  it('reports a store that does not answer', async () => {
    const entry = await entryNow();
    const down = new Error('down');
    store.find = () => Promise.reject(down);
    store.put = () => Promise.reject(down);
    for (const call of [
      () => ledger.read(ticket.sessionUri),
      () => ledger.ask(ticket),
      () => ledger.advance(entry, { state: 'opened' }),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'flows_unavailable', reason: 'store', cause: down });
    expect(log.map(({ fields }) => fields.event)).toEqual(Array(3).fill('flow_ledger_failed'));
  });
});

describe('the states of a flow', () => {
  it('have four ends and one start', () => {
    expect(FLOW_STATES.filter(hasEnded)).toEqual(['bound', 'denied', 'expired', 'burnt']);
    expect(FLOW_STATES.filter((state) => FLOW_STATES.some((each) => mayFollow(each, state)))).not.toContain(
      'asked',
    );
  });

  it.each<[FlowState, string]>([
    ['asked', 'opened started expired burnt'],
    ['opened', 'started expired burnt'],
    ['started', 'started returned denied expired burnt'],
    ['returned', 'returned bound denied expired burnt'],
    ['bound', ''],
    ['denied', ''],
    ['expired', ''],
    ['burnt', ''],
  ])('%s may change to: %s', (state, next) => {
    expect(FLOW_STATES.filter((each) => mayFollow(state, each)).join(' ')).toBe(next);
  });

  it('are bound only after the browser has come back', () => {
    expect(FLOW_STATES.filter((state) => mayFollow(state, 'bound'))).toEqual(['returned']);
  });
});

describe('the id of a flow', () => {
  it('is the same for the same session URI, and does not reveal it', () => {
    expect(flowIdOf('urn:x')).toBe(flowIdOf('urn:x'));
    expect(flowIdOf('urn:x')).toMatch(/^[0-9a-f]{32}$/);
    expect(flowIdOf('urn:y')).not.toBe(flowIdOf('urn:x'));
  });
});
