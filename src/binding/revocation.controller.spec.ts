import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Audit } from '../audit/index.js';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { testApp } from '../common/http/testing/app.js';
import { RevocationTickets } from '../identity/flow/index.js';
import { GRANTS, type Grants } from '../identity/revocation/index.js';
import { Receipts } from '../receipts/index.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { RevocationController } from './revocation.controller.js';

const flow = {
  secret: '0123456789abcdef'.repeat(2),
  acceptedSecrets: [],
  publicUrl: 'https://agent.example',
  authorizationOrigin: 'https://identity.example',
};
const TICKET = { sub: 'alice', provider: 'parrot', account: 'alice-octo', tokens: ['gho_1'] };

describe('the end of an authorization over HTTP', () => {
  let asked: unknown[];
  let store: MemoryStore;
  let receipts: Receipts;
  let trail: readonly RecordedLine[];
  let app: NestFastifyApplication;
  const tickets = new RevocationTickets(flow);

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    asked = [];
    store = new MemoryStore();
    receipts = new Receipts(store);
    const recorded = recordedAudit();
    trail = recorded.lines;
    const grants: Grants = {
      canRevoke: () => true,
      revoke: (...given) => {
        asked.push(given);
        return Promise.resolve('proven');
      },
    };
    app = await testApp(
      {
        controllers: [RevocationController],
        providers: [
          { provide: RevocationTickets, useValue: tickets },
          { provide: GRANTS, useValue: grants },
          { provide: Receipts, useValue: receipts },
          { provide: Audit, useValue: recorded.audit },
        ],
      },
      { sub: 'alice' },
    );
  });
  afterEach(() => app.close());

  const post = (ticket?: string) =>
    app.inject({
      method: 'POST',
      url: '/oauth2/revocation',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: ticket === undefined ? 'x=1' : new URLSearchParams({ ticket }).toString(),
    });

  it('tells what the provider says, and the receipts do', async () => {
    const answer = await post(await tickets.seal(TICKET));
    expect(answer).toMatchObject({ statusCode: 200 });
    expect(answer.json()).toEqual({ provider: 'parrot', outcome: 'proven', receipt: true });
    expect(asked).toEqual([['parrot', ['gho_1']]]);
    const { receipts: told } = await receipts.page('alice', 9);
    expect(told).toMatchObject([
      { kind: 'revoked', provider: 'parrot', account: 'alice-octo', outcome: 'proven' },
    ]);
    expect(trail).toMatchObject([
      { event: 'grant_revoked', user: 'alice', provider: 'parrot', outcome: 'proven' },
    ]);
    expect(JSON.stringify([trail, told])).not.toContain('gho_1');
  });

  it('says where there is no receipt', async () => {
    store.beforePut = () => {
      throw new Error('away');
    };
    expect((await post(await tickets.seal(TICKET))).json()).toMatchObject({
      outcome: 'proven',
      receipt: false,
    });
  });

  it.each<[string, () => Promise<string | undefined>, string]>([
    ['no ticket', () => Promise.resolve(undefined), 'flow_invalid'],
    ['an empty ticket', () => Promise.resolve(''), 'flow_invalid'],
    ['a ticket of another user', () => tickets.seal({ ...TICKET, sub: 'bob' }), 'flow_wrong_account'],
    [
      'a ticket that another secret has sealed',
      () => new RevocationTickets({ ...flow, secret: 'fedcba9876543210'.repeat(2) }).seal(TICKET),
      'flow_invalid',
    ],
    [
      'a ticket of another deployment',
      () => new RevocationTickets({ ...flow, publicUrl: 'https://other.example' }).seal(TICKET),
      'flow_invalid',
    ],
  ])('is refused with %s', async (_name, ticket, code) => {
    const answer = await post(await ticket());
    expect(answer.json()).toMatchObject({ code });
    expect(answer.body).not.toContain('gho_1');
    expect(asked).toEqual([]);
    expect(trail).toMatchObject([{ event: 'revocation_refused', user: 'alice', code }]);
  });
});
