import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import { AppError } from '../common/errors/index.js';
import { recordedAudit } from '../audit/testing/recorded-audit.js';
import type { User } from '../identity/sign-in/index.js';
import type { ResourceToken, ResourceTokenRequest } from '../identity/token-vault/index.js';
import type { Connections } from './connections.js';
import { digestOf } from './digest.js';
import type { Account } from './provider.js';
import type { ToolPipeline } from './tool-pipeline.js';
import type { RegisteredTool, ToolCall, ToolOutcome } from './tool-call.js';
import { toolServices } from './testing/tool-services.js';
import { aCall } from './testing/a-call.js';
import { TokenRefusedError, ToolError } from './tool.errors.js';

const A = { id: '1', login: 'alice-octo' };
const B = { id: '2', login: 'bob-octo' };
const WIDER = ['speak', 'all'];

describe('ToolPipeline, where the provider tells whose token it is', () => {
  let asked: ResourceTokenRequest[];
  /** The token that AgentCore Identity has; undefined: the user must consent. */
  let token: string | undefined;
  let identified: string[];
  /** The error that the tool throws. */
  let fails: Error | undefined;
  let called: string[];
  /** Called when the tool is; the tool waits for its result. */
  let enter: () => Promise<never> | undefined;
  let verify: RegisteredTool['verify'];
  let identifies: (accessToken: string) => Promise<Account>;
  let trail: ReturnType<typeof recordedAudit>;
  let connections: Connections;
  let pipeline: ToolPipeline;

  const toolOf = (effect: 'read' | 'write'): RegisteredTool => ({
    options: {
      name: 'say',
      title: 'Say it',
      description: 'Says.',
      input: z.strictObject({}),
      output: z.object({}),
      access: { provider: 'parrot', scopes: ['speak'] },
      effect,
    },
    offered: {
      provider: {
        id: 'parrot',
        label: 'Parrot',
        apiBase: 'https://parrot.example',
        settingsUrl: 'https://parrot.example/settings',
        scopes: { speak: 'Speak' },
        authorizationParameters: { prompt: 'select_account' },
        tools: [],
      },
      config: { credentialProvider: 'parrot-cp', apiBase: 'https://parrot.example', deadlineMs: 10_000 },
      identify: ({ accessToken }) => {
        identified.push(accessToken);
        return identifies(accessToken);
      },
    },
    verify,
    run: (_input, { accessToken }) => {
      called.push(accessToken);
      const waits = enter();
      if (waits !== undefined) return waits;
      return fails === undefined ? Promise.resolve({}) : Promise.reject(fails);
    },
  });
  const run = (effect: 'read' | 'write' = 'read', more: Partial<ToolCall> = {}): Promise<ToolOutcome> =>
    pipeline.run(toolOf(effect), {}, aCall(more));
  const approvalOf = (accountId: string): string => digestOf({ tool: 'say', input: {}, accountId });

  beforeEach(() => {
    asked = [];
    token = 'a-1';
    identified = [];
    called = [];
    fails = undefined;
    enter = () => undefined;
    verify = undefined;
    identifies = (accessToken) => Promise.resolve(accessToken.startsWith('a') ? { ...A, scopes: WIDER } : B);
    trail = recordedAudit();
    const tokens = {
      get: (_user: User, request: ResourceTokenRequest): Promise<ResourceToken> => {
        asked.push(request);
        if (token !== undefined && request.forceAuthentication !== true)
          return Promise.resolve({ kind: 'token', accessToken: token, awsRequestId: 'aws' });
        return Promise.resolve({
          kind: 'authorization_required',
          authorizationUrl: 'https://x',
          sessionUri: 'urn:x',
          customState: 's',
          expiresAt: 1,
        });
      },
    };
    ({ pipeline, connections } = toolServices(tokens, trail.audit));
  });

  it('sends the parameters of the provider’s authorization request', async () => {
    await run();
    expect(asked[0]?.customParameters).toEqual({ prompt: 'select_account' });
  });

  it('records the first account, and asks once for each token whose it is', async () => {
    expect(await run()).toMatchObject({ kind: 'result', widerScopes: ['all'] });
    expect(await run()).toMatchObject({ kind: 'result', widerScopes: [] });
    expect(identified).toEqual(['a-1']);
    expect((await connections.read('alice', 'parrot'))?.connection.account).toEqual(A);
    expect(trail.lines.filter(({ event }) => event === 'account_identified')).toHaveLength(1);
  });

  it('writes a connection that is in use anew, a day after it was written', async () => {
    await run();
    const first = await connections.read('alice', 'parrot');
    token = 'a-2';
    await run();
    expect(await connections.read('alice', 'parrot')).toEqual(first);
    jest.useFakeTimers({ now: Date.now() + 25 * 60 * 60_000 });
    token = 'a-3';
    await run();
    jest.useRealTimers();
    expect((await connections.read('alice', 'parrot'))?.version).not.toBe(first?.version);
  });

  it('does not call with a token of another account', async () => {
    await run();
    token = 'b-1';
    expect(await run()).toMatchObject({ kind: 'account_changed', before: A, now: B });
    expect(called).toEqual(['a-1']);
    expect((await connections.read('alice', 'parrot'))?.connection.account).toEqual(A);
  });

  it('switches to the account that the user was told of, and to no third one', async () => {
    await run();
    token = 'b-1';
    expect(await run('read', { account: { switchTo: '3' } })).toMatchObject({ kind: 'account_changed' });
    expect(await run('read', { account: { switchTo: '2' } })).toMatchObject({ kind: 'result' });
    expect((await connections.read('alice', 'parrot'))?.connection.account).toEqual(B);
  });

  it('sends the user to consent again as the account before, as often as they say so', async () => {
    await run();
    token = 'b-1';
    expect(await run('read', { account: 'consent_again' })).toMatchObject({
      kind: 'authorization_required',
      account: A,
      reauthenticated: true,
    });
    expect(await run('read', { reauthenticated: true })).toMatchObject({ kind: 'account_changed' });
    expect(await run('read', { account: 'consent_again', reauthenticated: true })).toMatchObject({
      kind: 'authorization_required',
    });
  });

  it('asks for consent before a first write, and then for approval as the account it is', async () => {
    token = undefined;
    expect(await run('write')).toMatchObject({ kind: 'authorization_required', account: undefined });
    token = 'a-1';
    expect(await run('write')).toMatchObject({ kind: 'approval_required', account: A, widerScopes: ['all'] });
    expect(trail.lines.filter(({ event }) => event === 'account_identified')).toHaveLength(1);
    expect(called).toEqual([]);
    expect(await run('write', { approved: approvalOf('1') })).toMatchObject({ kind: 'result' });
  });

  describe('that may have been made before', () => {
    const approved = approvalOf('1');
    let order: string[];
    let doubted: number | undefined;
    let begin: () => Promise<void>;
    const writes = (): ToolCall['writes'] => ({
      begin: (digest) => {
        order.push(`begin ${String(digest === approved)}`);
        return begin();
      },
      doubtedSince: (digest) => (digest === approved ? doubted : undefined),
      settle: (digest) => order.push(`settle ${String(digest === approved)}`),
    });
    const write = (): Promise<ToolOutcome> => run('write', { approved, writes: writes() });

    beforeEach(() => {
      [order, doubted] = [[], undefined];
      begin = () => Promise.resolve();
      enter = () => {
        order.push('called');
        return undefined;
      };
      verify = (_input, _context, since) => {
        order.push(`looked up since ${String(since.getTime())}`);
        return Promise.resolve(undefined);
      };
    });

    it('is noted before it is made, and settled after that', async () => {
      await run('read', { writes: writes() });
      await run('write', { writes: writes() });
      expect(order).toEqual(['called']);
      await write();
      expect(order).toEqual(['called', 'begin true', 'called', 'settle true']);
    });

    it('is not made where it cannot be noted', async () => {
      const failure = new AppError('sessions_unavailable');
      begin = () => Promise.reject(failure);
      await expect(write()).rejects.toBe(failure);
      expect(order).toEqual(['begin true']);
    });

    it('stays in doubt where its outcome is not known', async () => {
      fails = new Error('socket hang up');
      await expect(write()).rejects.toMatchObject({ code: 'tool_outcome_unknown' });
      expect(order).toEqual(['begin true', 'called']);
    });

    it('is looked up, and made where it was not', async () => {
      doubted = 7;
      expect(await write()).not.toHaveProperty('wasDone');
      expect(order).toEqual(['looked up since 7', 'begin true', 'called', 'settle true']);
    });

    it('is not made again where it was', async () => {
      doubted = 7;
      verify = () => Promise.resolve({});
      expect(await write()).toMatchObject({ kind: 'result', wasDone: true });
      expect(order).toEqual(['settle true']);
    });

    it('is not made where it cannot be looked up', async () => {
      doubted = 7;
      const failure = new ToolError('provider_unavailable', 'away');
      verify = () => Promise.reject(failure);
      await expect(write()).rejects.toBe(failure);
      expect(order).toEqual([]);
    });

    it('is made again where its tool cannot look it up', async () => {
      doubted = 7;
      verify = undefined;
      expect(await write()).not.toHaveProperty('wasDone');
      expect(order).toEqual(['begin true', 'called', 'settle true']);
    });
  });

  it('asks again for an approval that was given as another account', async () => {
    await run();
    token = 'b-1';
    const approved = approvalOf('1');
    expect(await run('write', { approved })).toMatchObject({ kind: 'account_changed' });
    expect(await run('write', { approved, account: { switchTo: '2' } })).toMatchObject({
      kind: 'approval_required',
      account: B,
    });
    expect(called).toEqual(['a-1']);
  });

  it('uses an approval up when the tool is entered, also where it then refuses the token', async () => {
    await run();
    fails = new TokenRefusedError();
    const approved = approvalOf('1');
    token = undefined;
    expect(await run('write', { approved })).toMatchObject({ kind: 'authorization_required', called: false });
    token = 'a-1';
    expect(await run('write', { approved })).toMatchObject({ kind: 'authorization_required', called: true });
  });

  const down = new ToolError('provider_unavailable', 'Down.');
  it.each([
    ['write', 'an unknown error', new Error('socket hang up'), 'tool_outcome_unknown'],
    ['write', 'a tool error', down, 'provider_unavailable'],
  ] as const)('tells of a %s that ends by %s', async (effect, _name, error, code) => {
    await run();
    fails = error;
    await expect(run(effect, { approved: approvalOf('1') })).rejects.toMatchObject({ code });
  });

  it.each([
    ['write', undefined, { code: 'tool_outcome_unknown' }],
    ['write', down, { code: 'tool_outcome_unknown' }],
    ['read', undefined, { name: 'AbortError' }],
    ['read', down, { code: 'provider_unavailable' }],
  ] as const)('ends a %s with its run, also when the tool goes on: %j', async (effect, error, expected) => {
    await run();
    const leaving = new AbortController();
    fails = error;
    enter = () => {
      leaving.abort();
      return error === undefined ? new Promise(() => undefined) : undefined;
    };
    const call = run(effect, { approved: approvalOf('1'), signal: leaving.signal });
    await expect(call).rejects.toMatchObject(expected);
    expect(called).toHaveLength(2);
  });

  it('does not begin a write when its run has ended', async () => {
    await run();
    const call = run('write', { approved: approvalOf('1'), signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: 'sessions_unavailable' });
    expect(called).toHaveLength(1);
  });

  it('ends with its run when the provider does not say whose token it is', async () => {
    const leaving = new AbortController();
    identifies = () => {
      leaving.abort();
      return new Promise(() => undefined);
    };
    const call = run('read', { signal: leaving.signal });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('lets two first calls at once end as one account', async () => {
    let asking = 0;
    identifies = () => Promise.resolve((asking += 1) === 1 ? A : B);
    const [first, second] = await Promise.all([run(), run()]);
    expect(new Set([first.kind, second.kind])).toEqual(new Set(['result', 'account_changed']));
    expect(called).toHaveLength(1);
  });
});
