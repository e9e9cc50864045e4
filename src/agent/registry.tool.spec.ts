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
    outcome = { kind: 'result', source: 'parrot', data: { said: 'hello' } };
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
  const approvalRequired: ToolOutcome = { kind: 'approval_required', tool: 'send', input: {} };
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
    outcome = { kind: 'result', source: 'parrot', data: {} };
    await use();
    expect(called.at(-1)?.approved ?? false).toBe(approved);
  });

  it('keeps an approval while the same call waits for consent, and for no other input', async () => {
    outcome = approvalRequired;
    await use().catch(() => undefined);
    answer('resolved', { approved: true });
    outcome = authorizationRequired;
    await use().catch(() => undefined);
    answer('resolved', { approved: true }, 'authorization_required');
    await use().catch(() => undefined);
    expect(called.at(-1)?.approved).toBe(true);
    await use('a', { to: 'attacker' }).catch(() => undefined);
    expect(called.at(-1)?.approved).toBe(false);
  });

  it('uses an approval once, also when the model uses an id again', async () => {
    outcome = approvalRequired;
    await use().catch(() => undefined);
    answer('resolved', { approved: true });
    outcome = { kind: 'result', source: 'parrot', data: {} };
    await use();
    await use();
    expect(called.slice(1).map(({ approved }) => approved)).toEqual([true, false]);
  });

  it('remembers that it has sent the user to the provider anew', async () => {
    outcome = { ...authorizationRequired, reauthenticated: true } as ToolOutcome;
    await use().catch(() => undefined);
    await use().catch(() => undefined);
    expect(called.map(({ reauthenticated }) => reauthenticated)).toEqual([false, true]);
  });
});
