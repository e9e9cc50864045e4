import type { ToolContext, ToolResultBlock } from '@strands-agents/sdk';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ToolCall, ToolOutcome, ToolRegistry } from '../tools/index.js';
import { RegistryTool, type AnsweredInterrupt, type RunCalls } from './registry.tool.js';

class Interrupted extends Error {}

describe('RegistryTool', () => {
  let called: (ToolCall & { input: unknown })[];
  let outcome: ToolOutcome;
  let calls: RunCalls;
  let interrupts: string[];

  beforeEach(() => {
    called = [];
    interrupts = [];
    outcome = { kind: 'result', provider: 'parrot', data: { said: 'hello' }, widerScopes: [] };
    calls = {
      user: { sub: 'alice' },
      sessionId: 'one',
      runId: 'run',
      paused: new Map(),
      answers: new Map(),
      reasons: new Map(),
    };
  });

  const registry = {
    call: (_name: string, input: unknown, call: ToolCall) => {
      called.push({ ...call, input });
      return Promise.resolve(outcome);
    },
  } as unknown as ToolRegistry;

  const use = async (toolUseId = 'a', input: unknown = { to: 'friend' }): Promise<ToolResultBlock> => {
    const tool = new RegistryTool(
      { name: 'send', title: 'Send', description: 'Sends.', inputSchema: {} },
      registry,
      calls,
    );
    const context = {
      toolUse: { toolUseId, name: 'send', input },
      cancelSignal: new AbortController().signal,
      interrupt: ({ name }: { name: string }) => {
        interrupts.push(name);
        throw new Interrupted();
      },
    } as unknown as ToolContext;
    const { value } = await tool.stream(context).next();
    return value as ToolResultBlock;
  };
  const answer = (
    status: AnsweredInterrupt['status'],
    payload?: unknown,
    reason = 'approval_required',
  ): void => {
    calls.answers.set('a', { interruptId: 'i', reason, status, ...(payload !== undefined && { payload }) });
  };
  const approvalRequired: ToolOutcome = {
    kind: 'approval_required',
    tool: 'send',
    provider: 'parrot',
    input: {},
    inputBytes: 2,
    digest: 'DIGEST',
    account: undefined,
    widerScopes: [],
  };
  const authorizationRequired = {
    kind: 'authorization_required',
    tool: 'send',
    reauthenticated: false,
  } as ToolOutcome;

  it('marks what a tool answers as data from outside', async () => {
    expect((await use()).toJSON().toolResult).toMatchObject({
      status: 'success',
      content: [{ json: { source: 'parrot', untrusted: true, data: { said: 'hello' } } }],
    });
  });

  it('answers a failure as a typed error', async () => {
    outcome = { kind: 'failure', code: 'provider_unavailable', message: 'Down.' };
    expect((await use()).toJSON().toolResult).toMatchObject({
      status: 'error',
      content: [{ json: { error: { code: 'provider_unavailable', message: 'Down.' } } }],
    });
  });

  it('pauses, under another name each time', async () => {
    outcome = authorizationRequired;
    await expect(use()).rejects.toThrow(Interrupted);
    await expect(use()).rejects.toThrow(Interrupted);
    expect(interrupts).toEqual(['authorization_required-1', 'authorization_required-2']);
    expect(calls.reasons.get('a')).toBe(outcome);
  });

  it.each([
    ['authorization_required', 'cancelled', undefined, 'consent_declined'],
    ['authorization_required', 'cancelled', { approved: true }, 'consent_declined'],
    ['approval_required', 'cancelled', undefined, 'approval_declined'],
    ['approval_required', 'cancelled', { approved: true }, 'approval_declined'],
    ['approval_required', 'resolved', { approved: false }, 'approval_declined'],
  ] as const)('is not called when the user answers %s by %s %j', async (reason, status, payload, code) => {
    answer(status, payload, reason);
    expect(JSON.stringify((await use()).toJSON())).toContain(code);
    expect(called).toEqual([]);
  });

  it.each([
    ['resolved', { approved: true }, true],
    ['resolved', undefined, false],
    ['resolved', { approved: 'true' }, false],
    ['resolved', 'approved', false],
  ] as const)('takes %s %j for an approval: %s', async (status, payload, approved) => {
    outcome = approvalRequired;
    await use().catch(() => undefined);
    answer(status, payload);
    outcome = { kind: 'result', provider: 'parrot', data: {}, widerScopes: [] };
    await use();
    expect(called.at(-1)?.approved === 'DIGEST').toBe(approved);
  });

  it('keeps an approval while the call waits for consent, and none for what is asked anew', async () => {
    outcome = approvalRequired;
    await use().catch(() => undefined);
    answer('resolved', { approved: true });
    outcome = authorizationRequired;
    await use().catch(() => undefined);
    answer('resolved', { approved: true }, 'authorization_required');
    await use().catch(() => undefined);
    expect(called.at(-1)?.approved).toBe('DIGEST');
    outcome = { ...approvalRequired, digest: 'ANOTHER' };
    await use('a', { to: 'attacker' }).catch(() => undefined);
    await use('a', { to: 'attacker' }).catch(() => undefined);
    expect(called.at(-1)?.approved).toBeUndefined();
  });

  it('uses an approval up that a tool was entered with, when it then waits for consent', async () => {
    outcome = approvalRequired;
    await use().catch(() => undefined);
    answer('resolved', { approved: true });
    outcome = { ...authorizationRequired, called: true } as ToolOutcome;
    await use().catch(() => undefined);
    answer('resolved', undefined, 'authorization_required');
    await use().catch(() => undefined);
    expect(called.at(-1)?.approved).toBeUndefined();
  });

  it('uses an approval once, also when the model uses an id again', async () => {
    outcome = approvalRequired;
    await use().catch(() => undefined);
    answer('resolved', { approved: true });
    outcome = { kind: 'result', provider: 'parrot', data: {}, widerScopes: [] };
    await use();
    await use();
    expect(called.slice(1).map(({ approved }) => approved)).toEqual(['DIGEST', undefined]);
  });

  it('remembers that it has sent the user to the provider anew', async () => {
    outcome = { ...authorizationRequired, reauthenticated: true } as ToolOutcome;
    await use().catch(() => undefined);
    await use().catch(() => undefined);
    expect(called.map(({ reauthenticated }) => reauthenticated)).toEqual([false, true]);
  });

  const accountChanged = {
    kind: 'account_changed',
    tool: 'send',
    now: { id: '2', login: 'bob' },
  } as unknown as ToolOutcome;

  it.each([
    ['resolved', { switch: true }, { switchTo: '2' }],
    ['resolved', { switch: false }, 'consent_again'],
    ['resolved', { switch: 'true' }, 'consent_again'],
    ['resolved', undefined, 'consent_again'],
  ] as const)('takes %s %j of another account for %j', async (status, payload, account) => {
    outcome = accountChanged;
    await use().catch(() => undefined);
    answer(status, payload, 'account_changed');
    await use().catch(() => undefined);
    expect(called.at(-1)?.account).toEqual(account);
    await use().catch(() => undefined);
    expect(called.at(-1)?.account).toBeUndefined();
  });

  it('takes no switch that nobody was asked for', async () => {
    answer('resolved', { switch: true }, 'account_changed');
    await use();
    expect(called.at(-1)?.account).toBeUndefined();
  });

  it('is not called when the user declines another account', async () => {
    answer('cancelled', { switch: true }, 'account_changed');
    expect(JSON.stringify((await use()).toJSON())).toContain('account_declined');
    expect(called).toEqual([]);
  });

  it('tells once what a provider has granted that nobody asked for', async () => {
    outcome = { kind: 'result', provider: 'parrot', data: {}, widerScopes: ['all'] };
    const tool = new RegistryTool(
      { name: 'send', title: 'Send', description: 'Sends.', inputSchema: {} },
      registry,
      calls,
    );
    const context = {
      toolUse: { toolUseId: 'a', name: 'send', input: {} },
      cancelSignal: new AbortController().signal,
    } as unknown as ToolContext;
    const { value } = await tool.stream(context).next();
    expect(value).toMatchObject({
      type: 'toolStreamEvent',
      data: { notice: 'wider_scopes', provider: 'parrot', scopes: ['all'] },
    });
  });
});
