import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { AppError } from '../common/errors/index.js';
import type {
  AuthorizationCompletion,
  CompletionAnswer,
} from '../identity/authorization-completion/index.js';
import { digestOf, FlowLedger, flowIdOf, type FlowState } from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import { CONSENT, FLOWS, TICKET } from '../identity/testing/flow.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { Receipts } from '../receipts/index.js';
import { FlowCookies } from './flow-cookies.js';
import { SessionBinding } from './session-binding.js';

const alice: User = { sub: 'alice' };
const bob: User = { sub: 'bob' };
const { sessionUri } = TICKET;
const id = flowIdOf(sessionUri);
const callback = { session_id: sessionUri, state: 's' };
const nonce = 'n'.repeat(22);
const cookie = `__Host-onbehalf-flow-${id}=${nonce}`;

describe('SessionBinding', () => {
  let completed: string[];
  let answer: () => Promise<CompletionAnswer>;
  let store: MemoryStore;
  let ledger: FlowLedger;
  let binding: SessionBinding;
  let trail: readonly RecordedLine[];

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    completed = [];
    answer = () => Promise.resolve({ kind: 'completed', awsRequestId: 'aws-1' });
    store = new MemoryStore();
    ledger = new FlowLedger(store);
    binding = anotherTask();
    await ledger.ask({ ...TICKET, expiresAt: Date.now() + 600_000 });
    await move('started', { browsers: [digestOf(nonce)] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const anotherTask = (): SessionBinding => {
    const completion: AuthorizationCompletion = {
      complete: (uri, user) => {
        completed.push(`${uri} ${user.sub}`);
        return answer();
      },
    };
    const recorded = recordedAudit();
    trail = recorded.lines;
    const receipts = new Receipts(new MemoryStore());
    return new SessionBinding(completion, ledger, new FlowCookies(FLOWS), receipts, recorded.audit);
  };
  const move = async (
    state: FlowState,
    change: Parameters<FlowLedger['advance']>[1] extends infer C ? Omit<C & object, 'state'> : never = {},
  ): Promise<void> => {
    const entry = await ledger.read(sessionUri);
    if (entry === undefined) throw new Error('no such flow');
    await ledger.advance(entry, { state, ...change });
  };
  const stateNow = async (): Promise<FlowState | undefined> => (await ledger.read(sessionUri))?.record.state;
  const line = (event: string, more: object): object => ({
    event,
    user: 'alice',
    flow: id,
    ...CONSENT,
    ...more,
  });

  it('completes for the user and the browser that started it', async () => {
    const bound = await binding.bind(alice, callback, cookie);
    expect(bound).toMatchObject({ kind: 'done', record: { provider: 'GitHub', state: 'bound' } });
    expect(bound.cookies).toEqual([expect.stringContaining('Max-Age=60;')]);
    expect(completed).toEqual([`${sessionUri} alice`]);
    expect(await stateNow()).toBe('bound');
    expect(trail).toEqual([expect.objectContaining(line('bound', { awsRequestId: 'aws-1' }))]);
  });

  it('says that the flow was completed before, only in the same browser, and calls no service', async () => {
    await binding.bind(alice, callback, cookie);
    expect(await binding.bind(alice, callback, cookie)).toMatchObject({ kind: 'already_done' });
    expect(completed).toHaveLength(1);
    await expect(binding.bind(alice, { ...callback, state: 'x' }, cookie)).rejects.toMatchObject({
      code: 'flow_invalid',
      reason: 'state',
    });
    expect(await stateNow()).toBe('bound');
  });

  it.each<[string, User, string | undefined, string, string]>([
    ['another browser', alice, undefined, 'flow_wrong_browser', 'no_flow_cookie'],
    ['another user in another browser', bob, undefined, 'flow_wrong_browser', 'no_flow_cookie'],
    ['another user in the same browser', bob, cookie, 'flow_wrong_account', 'flow_of_another_user'],
  ])(
    'is stopped by %s, and stays stopped for every later callback',
    async (_name, user, header, code, reason) => {
      await expect(binding.bind(user, callback, header)).rejects.toMatchObject({ code, reason });
      expect(await stateNow()).toBe('burnt');
      await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({ code: 'flow_burnt' });
      expect(completed).toEqual([]);
      const refused = { event: 'binding_refused', flow: id, flowState: 'burnt', owner: 'alice', ...CONSENT };
      expect(trail).toEqual([
        expect.objectContaining({ ...refused, user: user.sub, code, reason }),
        expect.objectContaining({ ...refused, user: 'alice', code: 'flow_burnt', reason: 'burnt_before' }),
      ]);
    },
  );

  it.each<[string, User, string | undefined, string]>([
    ['another browser', alice, undefined, 'flow_wrong_browser'],
    ['another user', bob, cookie, 'flow_wrong_account'],
  ])('is not changed by %s after it is bound', async (_name, user, header, code) => {
    await binding.bind(alice, callback, cookie);
    await expect(binding.bind(user, callback, header)).rejects.toMatchObject({ code });
    expect(await stateNow()).toBe('bound');
    expect(completed).toHaveLength(1);
  });

  it.each(['asked', 'opened'])(
    'is stopped by a callback that comes before the button was pressed (%s)',
    async (state) => {
      store.objects.clear();
      await ledger.ask(TICKET);
      if (state === 'opened') await move('opened');
      await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({
        code: 'flow_wrong_browser',
      });
      expect(await stateNow()).toBe('burnt');
    },
  );

  it('refuses a flow that nobody asked for', async () => {
    store.objects.clear();
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({
      code: 'flow_wrong_browser',
      reason: 'no_such_flow',
    });
    expect(trail).toEqual([
      expect.objectContaining({ event: 'binding_refused', user: 'alice', flow: id, reason: 'no_such_flow' }),
    ]);
    expect(trail[0]).not.toHaveProperty('owner');
  });

  it.each([
    ['missing', { session_id: sessionUri }],
    ["another's", { ...callback, state: 'x' }],
    ['empty', { ...callback, state: '' }],
  ])('requires the state that was sent: %s', async (_name, parameters) => {
    await expect(binding.bind(alice, parameters, cookie)).rejects.toMatchObject({
      code: 'flow_invalid',
      reason: 'state',
    });
    // Neither the user nor another browser caused this, so the correct address may still arrive.
    expect(await stateNow()).toBe('started');
    expect(completed).toEqual([]);
  });

  it('ends once when the user denies', async () => {
    const denied = { ...callback, error: 'access_denied' };
    expect(await binding.bind(alice, denied, cookie)).toMatchObject({ kind: 'denied' });
    expect(await stateNow()).toBe('denied');
    expect(trail).toEqual([expect.objectContaining(line('consent_denied', {}))]);
    expect(await binding.bind(alice, callback, cookie)).toMatchObject({ kind: 'denied' });
    expect(completed).toEqual([]);
  });

  it('is stopped by a denial in another browser', async () => {
    await expect(binding.bind(bob, { ...callback, error: 'access_denied' }, undefined)).rejects.toMatchObject(
      { code: 'flow_wrong_browser' },
    );
    expect(await stateNow()).toBe('burnt');
  });

  it('ends when its ten minutes are over', async () => {
    jest.useFakeTimers({ now: Date.now() + 600_000, doNotFake: ['setTimeout'] });
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({
      code: 'flow_expired',
      reason: 'ten_minutes',
    });
    expect(await stateNow()).toBe('expired');
    expect(completed).toEqual([]);
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({ reason: 'ended_before' });
  });

  it('records an unknown outcome when an answer was lost and the service rejects the next try', async () => {
    answer = () => Promise.reject(new AppError('identity_unavailable'));
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({
      code: 'identity_unavailable',
    });
    answer = () => Promise.resolve({ kind: 'rejected', awsRequestId: 'aws-2' });
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({ code: 'flow_expired' });
    expect(trail.at(-1)).toMatchObject({ event: 'binding_refused', reason: 'completion_rejected_again' });
  });

  it('is expired, not stopped, for every callback after ten minutes', async () => {
    jest.useFakeTimers({ now: Date.now() + 600_000, doNotFake: ['setTimeout'] });
    await expect(binding.bind(bob, callback, undefined)).rejects.toMatchObject({ code: 'flow_expired' });
    expect(await stateNow()).toBe('expired');
  });

  it('is claimed again when writing the claim was slow, and fails when every claim is slow', async () => {
    let slowWrites = 1;
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now);
    store.beforePut = () => {
      if ((slowWrites -= 1) >= 0) clock.mockReturnValue(Date.now() + 5_000);
    };
    answer = async () => {
      const { completingUntil = 0 } = (await ledger.read(sessionUri))?.record ?? {};
      expect(completingUntil - Date.now()).toBeGreaterThanOrEqual(11_000);
      return { kind: 'completed', awsRequestId: 'aws-1' };
    };
    expect(await binding.bind(alice, callback, cookie)).toMatchObject({ kind: 'done' });
    clock.mockRestore();
  });

  it('binds nothing when the store is too slow for a claim', async () => {
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now());
    store.beforePut = () => {
      clock.mockReturnValue(Date.now() + 5_000);
    };
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({ reason: 'store_too_slow' });
    clock.mockRestore();
    expect(completed).toEqual([]);
  });

  it('ends when the service rejects the session', async () => {
    answer = () => Promise.resolve({ kind: 'rejected', awsRequestId: 'aws-2' });
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({
      code: 'flow_expired',
      reason: 'completion_rejected',
    });
    expect(await stateNow()).toBe('expired');
    expect(trail).toEqual([
      expect.objectContaining(
        line('binding_refused', { code: 'flow_expired', awsRequestId: 'aws-2', flowState: 'expired' }),
      ),
    ]);
  });

  it('may be tried again after the service has failed', async () => {
    const cause = Object.assign(new Error('down'), { $metadata: { requestId: 'aws-3' } });
    answer = () => Promise.reject(new AppError('identity_unavailable', { cause }));
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({
      code: 'identity_unavailable',
    });
    expect(await stateNow()).toBe('returned');
    expect(trail).toEqual([
      expect.objectContaining(
        line('binding_failed', { code: 'identity_unavailable', awsRequestId: 'aws-3' }),
      ),
    ]);
    answer = () => Promise.resolve({ kind: 'completed' });
    expect(await binding.bind(alice, callback, cookie)).toMatchObject({ kind: 'done' });
    expect(completed).toHaveLength(2);
  });

  it('reports a bound token even when the ledger cannot be written', async () => {
    answer = () => {
      store.beforePut = () => {
        throw new Error('down');
      };
      return Promise.resolve({ kind: 'completed' });
    };
    expect(await binding.bind(alice, callback, cookie)).toMatchObject({ kind: 'done' });
    expect(trail).toEqual([expect.objectContaining({ event: 'bound' })]);
  });

  it('completes once when many callbacks arrive at several tasks', async () => {
    const tasks = [binding, anotherTask(), anotherTask()] as const;
    let finish: (value: CompletionAnswer) => void = () => undefined;
    answer = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    const all = [...tasks, ...tasks, ...tasks, ...tasks].map((task) => task.bind(alice, callback, cookie));
    await new Promise((resolve) => setTimeout(resolve, 50));
    finish({ kind: 'completed' });
    const kinds = (await Promise.all(all)).map(({ kind }) => kind).sort();
    expect(completed).toHaveLength(1);
    expect(kinds).toEqual([...Array.from({ length: 11 }, () => 'already_done'), 'done']);
  });

  it('reports a failed completion to the callbacks that wait for it, and does not try again', async () => {
    let fail: (error: Error) => void = () => undefined;
    answer = () =>
      new Promise((_, reject) => {
        fail = reject;
      });
    const first = binding.bind(alice, callback, cookie);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = anotherTask().bind(alice, callback, cookie);
    await new Promise((resolve) => setTimeout(resolve, 20));
    fail(new AppError('identity_unavailable'));
    await expect(first).rejects.toMatchObject({ code: 'identity_unavailable' });
    await expect(second).rejects.toMatchObject({
      code: 'identity_unavailable',
      reason: 'completion_beside_this_failed',
    });
    expect(completed).toHaveLength(1);
  });

  it('is not stopped while the correct browser completes it', async () => {
    await move('returned', { completingUntil: Date.now() + 10_000 });
    await expect(binding.bind(bob, callback, undefined)).rejects.toMatchObject({
      code: 'flow_wrong_browser',
    });
    expect(await stateNow()).toBe('returned');
  });

  it('can be completed after a task died during the completion', async () => {
    await move('returned', { completingUntil: Date.now() - 1 });
    expect(await binding.bind(alice, callback, cookie)).toMatchObject({ kind: 'done' });
  });

  it('fails when the ledger fails, and binds nothing', async () => {
    store.find = () => Promise.reject(new Error('down'));
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({ code: 'flows_unavailable' });
    expect(completed).toEqual([]);
    expect(trail).toEqual([expect.objectContaining({ event: 'binding_failed', code: 'flows_unavailable' })]);
  });

  it('gives up when every write to the ledger conflicts', async () => {
    store.put = () => Promise.resolve('conflict');
    await expect(binding.bind(alice, callback, cookie)).rejects.toMatchObject({
      reason: 'too_many_conflicts',
    });
    expect(completed).toEqual([]);
  });

  it('also records a callback that it cannot read', async () => {
    await expect(binding.bind(alice, { session_id: 'x' }, cookie)).rejects.toMatchObject({
      code: 'flow_invalid',
    });
    expect(trail).toMatchObject([
      { event: 'binding_refused', user: 'alice', code: 'flow_invalid', reason: 'session_id' },
    ]);
    expect(trail[0]).not.toHaveProperty('flow');
  });
});
