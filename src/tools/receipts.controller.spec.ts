import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Audit } from '../audit/index.js';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { testApp } from '../common/http/testing/app.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { ReceiptsController } from './receipts.controller.js';
import { Receipts } from '../receipts/index.js';
import { receiptList } from './receipts.schemas.js';

describe('the receipts of a user', () => {
  let store: MemoryStore;
  let receipts: Receipts;
  let app: NestFastifyApplication;
  let trail: readonly RecordedLine[];

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    store = new MemoryStore();
    receipts = new Receipts(store);
    const recorded = recordedAudit();
    trail = recorded.lines;
    const providers = [
      { provide: Receipts, useValue: receipts },
      { provide: Audit, useValue: recorded.audit },
    ];
    app = await testApp({ controllers: [ReceiptsController], providers }, { sub: 'alice' });
  });
  afterEach(() => app.close());

  const write = (account: string, sub = 'alice'): Promise<boolean> =>
    receipts.write(sub, { kind: 'disconnected', provider: 'parrot', account });
  const list = async (query = ''): Promise<ReturnType<typeof receiptList.parse>> => {
    const answer = await app.inject({ url: `/receipts${query}` });
    expect(answer.statusCode).toBe(200);
    expect(receiptList.parse(answer.json())).toEqual(answer.json());
    return receiptList.parse(answer.json());
  };

  it('come in pages, the latest first', async () => {
    for (const account of ['a', 'b', 'c']) {
      expect(await write(account)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await write('x', 'bob');
    const first = await list('?limit=2');
    expect(first.receipts).toMatchObject([{ account: 'c' }, { account: 'b' }]);
    expect(first.receipts[0]?.at).toMatch(/^\d{4}-\d\d-\d\dT/);
    const second = await list(`?limit=2&after=${first.next ?? ''}`);
    expect(second.receipts).toMatchObject([{ kind: 'disconnected', provider: 'parrot', account: 'a' }]);
    expect(second).not.toHaveProperty('next');
    expect(trail).toMatchObject([{ event: 'receipts_listed', user: 'alice' }, {}]);
  });

  it('show the others where one cannot be read', async () => {
    await write('a');
    const [key = ''] = store.objects.keys();
    await store.put(`${key}0`, '{"version":2}', { ifAbsent: true });
    expect((await list()).receipts).toHaveLength(1);
  });

  it('are not in the way of what they tell of, where they cannot be written', async () => {
    store.beforePut = () => {
      throw new Error('away');
    };
    expect(await write('a')).toBe(false);
    expect(await list()).toEqual({ receipts: [] });
  });

  it('are written before the process ends', async () => {
    const writing = write('a');
    await receipts.onApplicationShutdown();
    expect(store.objects.size).toBe(1);
    await writing;
  });

  it.each(['?limit=0', '?limit=101', '?after=..', '?after=9999999999999-zzzzzzzzzzzz', '?more=1'])(
    'are asked for in this form alone, not %s',
    async (query) => {
      expect((await app.inject({ url: `/receipts${query}` })).statusCode).toBe(400);
    },
  );
});
