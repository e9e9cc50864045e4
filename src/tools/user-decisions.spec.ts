import { Logger } from '@nestjs/common';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { flowIdOf, type FlowTicket } from '../identity/flow/index.js';
import type { ResourceToken, ResourceTokenRequest } from '../identity/token-vault/index.js';
import { Accounts } from './accounts.js';
import { digestOf } from './digest.js';
import { toolServices, type ToolServices } from './testing/tool-services.js';
import { aCall } from './testing/a-call.js';
import type { RegisteredTool, ToolCall, ToolOutcome } from './tool-call.js';
import { ToolError } from './tool.errors.js';

const ALICE = { id: '1', login: 'alice-octo', scopes: ['speak'] };
const DAY = 24 * 60 * 60_000;
const INPUT = { to: 'bob', word: 'hello' };

describe('what a user has decided of a tool', () => {
  let asked: ResourceTokenRequest[];
  let flows: number;
  /** What the tool was called with. */
  let sent: unknown[];
  let answers: () => Promise<unknown>;
  let trail: readonly RecordedLine[];
  let services: ToolServices;
  let vault: (user: unknown, request: ResourceTokenRequest) => Promise<ResourceToken>;

  const tool: RegisteredTool = {
    options: {
      name: 'say',
      title: 'Say a word',
      description: 'Says.',
      input: z.strictObject({ to: z.string().max(9), word: z.string().max(9) }),
      output: z.object({ url: z.string().optional() }),
      access: { provider: 'parrot', scopes: ['speak'] },
      effect: 'write',
      allowable: ['to'],
    },
    offered: {
      provider: {
        id: 'parrot',
        label: 'Parrot',
        apiBase: 'https://parrot.example',
        settingsUrl: 'https://parrot.example/settings',
        scopes: { speak: 'Speak' },
        tools: [],
      },
      config: { credentialProvider: 'parrot-cp', apiBase: 'https://parrot.example', deadlineMs: 10_000 },
      identify: () => Promise.resolve(ALICE),
    },
    verify: undefined,
    run: (input) => {
      sent.push(input);
      return answers();
    },
  };
  const run = (more: Partial<ToolCall> = {}, input: object = INPUT): Promise<ToolOutcome> =>
    services.pipeline.run(tool, input, aCall(more));
  const approved = digestOf({ tool: 'say', input: INPUT, accountId: '1' });
  const told = async (): Promise<readonly unknown[]> => (await services.receipts.page('alice', 9)).receipts;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(() => {
    [asked, sent, flows] = [[], [], 0];
    answers = () => Promise.resolve({});
    const recorded = recordedAudit();
    trail = recorded.lines;
    vault = (_user, request) => {
      asked.push(request);
      if (request.forceAuthentication !== true)
        return Promise.resolve({ kind: 'token', accessToken: 'token' });
      flows += 1;
      return Promise.resolve({
        kind: 'authorization_required',
        authorizationUrl: 'https://x',
        sessionUri: `urn:${String(flows)}`,
        customState: 's',
        expiresAt: Date.now() + 1_000,
      });
    };
    services = toolServices({ get: vault }, recorded.audit);
  });

  describe('whose provider was disconnected', () => {
    const ticketOf = (sessionUri: string, sub: string, scopes: string[]): FlowTicket => ({
      sub,
      display: { provider: 'Parrot', scopes: [], tool: 'Say' },
      authorizationUrl: 'https://x',
      sessionUri,
      customState: 's',
      consent: {
        sessionId: 'one',
        runId: 'run',
        interruptId: 'i',
        tool: 'say',
        provider: 'parrot',
        scopes,
      },
      expiresAt: Date.now() + 1_000,
    });
    const bind = async (sessionUri: string, sub = 'alice', scopes = ['speak']): Promise<void> => {
      await services.ledger.ask(ticketOf(sessionUri, sub, scopes));
      for (const state of ['started', 'returned', 'bound'] as const) {
        const entry = await services.ledger.read(sessionUri);
        if (entry !== undefined) await services.ledger.advance(entry, { state });
      }
    };

    beforeEach(async () => {
      await run({ approved });
      await services.latch.close('alice', 'parrot');
      [asked, sent] = [[], []];
    });

    it('uses no token of the vault, however often it is tried', async () => {
      for (const more of [{}, { reauthenticated: true }, { approved }, { account: 'consent_again' as const }])
        expect(await run(more)).toMatchObject({
          kind: 'authorization_required',
          account: undefined,
          reauthenticated: true,
          called: false,
        });
      expect(asked.every(({ forceAuthentication }) => forceAuthentication === true)).toBe(true);
      expect(sent).toEqual([]);
    });

    it('goes on when the user has authorized it again', async () => {
      await run();
      await run();
      await bind('urn:1');
      expect(await run()).toMatchObject({ kind: 'approval_required', account: ALICE });
      expect(await run({ approved })).toMatchObject({ kind: 'result' });
      const { connection } = (await services.connections.read('alice', 'parrot')) ?? {};
      expect(connection).toMatchObject({ account: { login: 'alice-octo' } });
      expect(connection).toMatchObject({ disconnected: { flows: [flowIdOf('urn:2')], scopes: ['speak'] } });
    });

    it('stays away from what the user has not authorized again', async () => {
      await run();
      await bind('urn:1', 'alice', ['listen']);
      expect(await run()).toMatchObject({ kind: 'authorization_required' });
      await bind('urn:2', 'alice', ['speak']);
      expect(await run()).toMatchObject({ kind: 'approval_required' });
    });

    it('is not opened by a call that was under way', async () => {
      services = toolServices({ get: vault }, recordedAudit().audit);
      await run({ approved });
      const seen = await services.connections.read('alice', 'parrot');
      await services.latch.close('alice', 'parrot');
      const source = {
        provider: 'parrot',
        identify: () => Promise.resolve({ ...ALICE, scopes: ['speak', 'more'] }),
      };
      const token = { sub: 'alice', accessToken: 'new', signal: new AbortController().signal, known: seen };
      const check = new Accounts(services.connections).check(source, token, undefined);
      await expect(check).rejects.toMatchObject({ code: 'provider_rejected' });
      expect(await services.latch.admit('alice', 'parrot', ['speak'])).toMatchObject({ isClosed: true });
    });

    it.each([
      ['was bound before', 'urn:before', 'alice'],
      ["is another user's", 'urn:1', 'bob'],
    ])('does not go on by a flow that %s', async (_name, sessionUri, sub) => {
      await bind(sessionUri, sub);
      await run();
      expect(await run({ reauthenticated: true })).toMatchObject({ kind: 'authorization_required' });
      expect(sent).toEqual([]);
    });

    it('does not go on by a flow from before it was disconnected once more', async () => {
      await run();
      await services.latch.close('alice', 'parrot');
      await bind('urn:1');
      expect(await run()).toMatchObject({ kind: 'authorization_required' });
    });

    it('fails where the vault gives a token out although it was told to ask', async () => {
      const get = () => Promise.resolve({ kind: 'token', accessToken: 'token' } as const);
      services = toolServices({ get }, recordedAudit().audit, services.store);
      await expect(run()).rejects.toThrow('disconnected');
      expect(sent).toEqual([]);
    });

    it('concerns one provider and one user', async () => {
      expect(await services.latch.admit('bob', 'parrot', ['speak'])).toMatchObject({ isClosed: false });
      expect(await services.latch.admit('alice', 'bank', ['speak'])).toMatchObject({ isClosed: false });
    });
  });

  describe('whose input the user has changed', () => {
    const edited = { tool: 'say', input: { to: 'carol', word: 'bye' }, accountId: '1', isApproved: true };
    beforeEach(async () => {
      await run({ approved });
      sent = [];
    });

    it('sends what the user wrote, and says so', async () => {
      expect(await run({ edited })).toMatchObject({ kind: 'result', edited: edited.input });
      expect(sent).toEqual([edited.input]);
      expect(await told()).toContainEqual(
        expect.objectContaining({
          kind: 'wrote',
          digest: digestOf({ tool: 'say', input: edited.input, accountId: '1' }),
        }),
      );
    });

    it.each([
      ['too long', { ...edited.input, word: 'x'.repeat(10) }],
      ['of another form', { ...edited.input, more: 1 }],
      ['nothing', undefined],
    ])('asks again, for what the model wrote, where it does not fit: %s', async (_name, input) => {
      expect(
        await run({ edited: { tool: 'say', input, accountId: '1', isApproved: true }, approved }),
      ).toMatchObject({
        kind: 'approval_required',
        input: INPUT,
        fault: expect.stringContaining('The arguments do not fit') as unknown,
      });
      expect(sent).toEqual([]);
    });

    it('is no approval of another tool whose call has the same id', async () => {
      expect(await run({ edited: { ...edited, tool: 'shout' } })).toMatchObject({
        kind: 'approval_required',
        input: INPUT,
      });
      expect(sent).toEqual([]);
    });

    it('asks again, for what the user wrote, where the approval is used up', async () => {
      expect(await run({ edited: { ...edited, isApproved: false } })).toMatchObject({
        kind: 'approval_required',
        input: edited.input,
      });
      expect(sent).toEqual([]);
    });

    it('asks again, for what the user wrote, where the account is another one by now', async () => {
      expect(await run({ edited: { ...edited, accountId: '2' } })).toMatchObject({
        kind: 'approval_required',
        input: edited.input,
      });
      expect(sent).toEqual([]);
    });
  });

  describe('that the user has allowed in a conversation', () => {
    beforeEach(async () => {
      await run({ approved, allowsMore: true });
      sent = [];
    });

    it('needs no approval for the same inputs', async () => {
      expect(await run({}, { ...INPUT, word: 'again' })).toMatchObject({ kind: 'result' });
      await Promise.resolve();
      const all = await told();
      for (const each of [
        { kind: 'wrote', byRule: true },
        { kind: 'wrote', byRule: false },
        { kind: 'rule_added', within: { to: 'bob' }, sessionId: 'one' },
      ])
        expect(all).toContainEqual(expect.objectContaining(each));
      expect(trail.filter(({ event }) => event === 'rule_added')).toMatchObject([
        { inputs: ['to'], tool: 'say' },
      ]);
    });

    it.each<[string, Partial<ToolCall>, object]>([
      ['another value of such an input', {}, { ...INPUT, to: 'carol' }],
      ['another conversation', { sessionId: 'two' }, INPUT],
      ['another user', { user: { sub: 'bob' } }, INPUT],
    ])('needs one for %s', async (_name, more, input) => {
      expect(await run(more, input)).toMatchObject({ kind: 'approval_required' });
      expect(sent).toEqual([]);
    });

    it('needs one in another conversation that has got the same id', async () => {
      expect(await run({ since: Date.now() - 60_000 })).toMatchObject({ kind: 'result' });
      expect(await run({ since: Date.now() + 1 })).toMatchObject({ kind: 'approval_required' });
    });

    it('needs one after a day', async () => {
      jest.useFakeTimers({ now: Date.now() + DAY + 1 });
      const outcome = await run();
      jest.useRealTimers();
      expect(outcome).toMatchObject({ kind: 'approval_required', within: { to: 'bob' } });
    });

    it('needs one when the provider was disconnected in between', async () => {
      await services.latch.close('alice', 'parrot');
      expect(await run()).toMatchObject({ kind: 'authorization_required' });
      const { connection } = (await services.connections.read('alice', 'parrot')) ?? {};
      expect(connection).not.toHaveProperty('rules');
    });

    it('needs one where the account is another one', async () => {
      const before = await services.connections.read('alice', 'parrot');
      await services.connections.record('alice', 'parrot', { id: '2', login: 'other' }, before);
      expect(await run({ account: { switchTo: '1' } })).toMatchObject({ kind: 'approval_required' });
    });

    it('needs one where the user wrote an input that does not fit', async () => {
      const edited = { tool: 'say', input: {}, accountId: '1', isApproved: true };
      expect(await run({ edited })).toMatchObject({ kind: 'approval_required' });
    });
  });

  it('is made although the rule cannot be kept', async () => {
    await run({ approved });
    services.store.beforePut = (key) => {
      if (key.includes('/connections/')) throw new Error('away');
    };
    expect(await run({ approved, allowsMore: true })).toMatchObject({ kind: 'result' });
  });

  it('has a receipt that says where it is', async () => {
    answers = () => Promise.resolve({ url: 'https://parrot.example/words/1' });
    await run({ approved });
    expect(await told()).toEqual([
      {
        version: 1,
        at: expect.any(Number) as unknown,
        kind: 'wrote',
        provider: 'parrot',
        account: 'alice-octo',
        sessionId: 'one',
        runId: 'run',
        tool: 'say',
        digest: approved,
        byRule: false,
        outcome: 'done',
        url: 'https://parrot.example/words/1',
      },
    ]);
  });

  it.each(['javascript:alert(1)', 'no address', ''])(
    'has a receipt without a link that is none: %s',
    async (url) => {
      answers = () => Promise.resolve({ url });
      await run({ approved });
      expect((await told())[0]).not.toHaveProperty('url');
    },
  );

  it.each([
    ['may have been made', new Error('reset'), [{ kind: 'wrote', outcome: 'unknown' }]],
    ['was not made', new ToolError('provider_rejected', 'no'), []],
  ])('has a receipt where it %s', async (_name, error, expected) => {
    answers = () => Promise.reject(error);
    await expect(run({ approved })).rejects.toThrow();
    expect(await told()).toMatchObject(expected);
  });
});
