import { Logger, Module } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Audit } from '../audit/index.js';
import { recordedLog } from '../common/logging/testing/recorded-log.js';
import { recordedAudit } from '../audit/testing/recorded-audit.js';
import { AppError } from '../common/errors/index.js';
import { FlowLedger } from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import {
  ResourceTokens,
  type ResourceToken,
  type ResourceTokenRequest,
} from '../identity/token-vault/index.js';
import { Receipts } from '../receipts/index.js';
import { OBJECT_STORE } from '../storage/index.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { Accounts } from './accounts.js';
import { Connections } from './connections.js';
import { digestOf } from './digest.js';
import { LastUses } from './last-uses.js';
import { Latch } from './latch.js';
import { ProviderApi } from './provider-api.js';
import { OfferedProvider, type Provider } from './provider.js';
import { Rules } from './rules.js';
import { aCall } from './testing/a-call.js';
import { ToolPipeline } from './tool-pipeline.js';
import {
  AgentTool,
  TokenRefusedError,
  ToolError,
  ToolRegistry,
  type ToolCall,
  type ToolCallContext,
} from './index.js';

const input = z.strictObject({ text: z.string().default('default') });
const output = z.object({ said: z.string() });
const POST_A = digestOf({ tool: 'post', input: { text: 'a' }, accountId: undefined });
const required: ResourceToken = {
  kind: 'authorization_required',
  authorizationUrl: 'https://x',
  sessionUri: 'urn:x',
  customState: 's',
  expiresAt: 1,
};

const parrotProvider: Provider = {
  id: 'parrot',
  label: 'Parrot',
  apiBase: 'https://parrot.example',
  settingsUrl: 'https://parrot.example/settings',
  scopes: { speak: 'Speak', write: 'Write' },
  tools: [],
};

class Parrot {
  readonly calls: { input: unknown; accessToken: string }[] = [];
  behaviour: () => Promise<{ said: string }> = () => Promise.resolve({ said: 'hello', secret: 'dropped' });

  @AgentTool({
    name: 'say',
    title: 'Say it',
    description: 'Says.',
    input,
    output,
    access: { provider: 'parrot', scopes: ['speak'] },
    effect: 'read',
  })
  say(given: z.output<typeof input>, { accessToken }: ToolCallContext): Promise<{ said: string }> {
    this.calls.push({ input: given, accessToken });
    return this.behaviour();
  }

  @AgentTool({
    name: 'post',
    title: 'Post it',
    description: 'Posts.',
    input,
    output,
    access: { provider: 'parrot', scopes: ['write'] },
    effect: 'write',
  })
  post(given: z.output<typeof input>, { accessToken }: ToolCallContext): Promise<{ said: string }> {
    this.calls.push({ input: given, accessToken });
    return this.behaviour();
  }
}

describe('ToolRegistry', () => {
  const asked: ResourceTokenRequest[] = [];
  let token: (request: ResourceTokenRequest) => Promise<ResourceToken>;
  let app: INestApplicationContext;
  let registry: ToolRegistry;
  let parrot: Parrot;
  let trail: ReturnType<typeof recordedAudit>;
  let store: MemoryStore;

  const start = async (
    providers: readonly Type<unknown>[],
    described: Provider = parrotProvider,
  ): Promise<INestApplicationContext> => {
    const config = { credentialProvider: 'parrot-cp', apiBase: described.apiBase, deadlineMs: 10_000 };
    const offered = new OfferedProvider(
      described,
      config,
      new ProviderApi(described, { apiBase: described.apiBase, deadlineMs: 10_000 }),
    );
    const tokens = {
      get: (_user: User, request: ResourceTokenRequest) => {
        asked.push(request);
        return token(request);
      },
    };
    @Module({
      imports: [DiscoveryModule],
      providers: [
        ToolRegistry,
        ToolPipeline,
        Accounts,
        Connections,
        FlowLedger,
        Latch,
        LastUses,
        Receipts,
        Rules,
        { provide: OfferedProvider, useValue: offered },
        { provide: OBJECT_STORE, useValue: store },
        { provide: ResourceTokens, useValue: tokens },
        { provide: Audit, useValue: trail.audit },
        ...providers,
      ],
    })
    class TestModule {}
    return NestFactory.createApplicationContext(TestModule, { logger: false, abortOnError: false });
  };

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    asked.length = 0;
    store = new MemoryStore();
    trail = recordedAudit();
    token = () => Promise.resolve({ kind: 'token', accessToken: 'token', awsRequestId: 'aws-1' });
    app = await start([Parrot]);
    registry = app.get(ToolRegistry);
    parrot = app.get(Parrot);
  });
  afterEach(() => app.close());

  const call = (name: string, value: unknown = {}, more: Partial<ToolCall> = {}) =>
    registry.call(name, value, aCall(more));

  it('describes input and output to the model', () => {
    const [say] = registry.specifications();
    expect(say).toMatchObject({
      name: 'say',
      inputSchema: {
        type: 'object',
        additionalProperties: false,
        properties: { text: { type: 'string', default: 'default' } },
      },
    });
    expect(say?.description).toContain('"said"');
    expect(registry.title('say')).toBe('Say it');
    expect(registry.title('none')).toBe('none');
  });

  it('checks the input, fetches a token for exactly the scopes, calls, and drops what the output does not have', async () => {
    expect(await call('say', { text: 'a' })).toEqual({
      kind: 'result',
      provider: 'parrot',
      data: { said: 'hello' },
      widerScopes: [],
    });
    expect(asked).toMatchObject([{ provider: 'parrot-cp', scopes: ['speak'], forceAuthentication: false }]);
    expect(parrot.calls).toEqual([{ input: { text: 'a' }, accessToken: 'token' }]);
    const whose = { user: 'alice', sessionId: 'one', runId: 'run', tool: 'say' };
    expect(trail.lines).toMatchObject([
      { event: 'token_fetched', ...whose, provider: 'parrot', scopes: ['speak'], awsRequestId: 'aws-1' },
      { event: 'tool_called', ...whose, outcome: 'result' },
    ]);
  });

  it.each([
    ['none', {}],
    ['say', { text: 7 }],
    ['say', { other: 1 }],
    ['say', 'text'],
    ['say', null],
  ])('refuses %s(%j) without asking for a token', async (name, value) => {
    expect(await call(name, value)).toMatchObject({ kind: 'failure', code: 'tool_input_invalid' });
    expect(asked).toEqual([]);
  });

  it('asks for consent when there is no token', async () => {
    token = () => Promise.resolve(required);
    expect(await call('say')).toMatchObject({
      kind: 'authorization_required',
      tool: 'say',
      scopes: ['speak'],
      authorization: required,
      reauthenticated: false,
    });
    expect(parrot.calls).toEqual([]);
  });

  it('asks for approval before a write, and before any token', async () => {
    expect(await call('post', { text: 'a' })).toEqual({
      kind: 'approval_required',
      tool: 'post',
      provider: 'parrot',
      input: { text: 'a' },
      inputBytes: 12,
      digest: POST_A,
      account: undefined,
      widerScopes: [],
    });
    expect(asked).toEqual([]);
    expect(await call('post', { text: 'a' }, { approved: POST_A })).toMatchObject({ kind: 'result' });
    expect(await call('post', { text: 'b' }, { approved: POST_A })).toMatchObject({
      kind: 'approval_required',
      input: { text: 'b' },
    });
  });

  it('sends the user to the provider anew when it refuses the token: once', async () => {
    parrot.behaviour = () => Promise.reject(new TokenRefusedError());
    token = ({ forceAuthentication }) =>
      Promise.resolve(forceAuthentication === true ? required : { kind: 'token', accessToken: 'dead' });
    expect(await call('say')).toMatchObject({ kind: 'authorization_required', reauthenticated: true });
    expect(asked.map(({ forceAuthentication }) => forceAuthentication)).toEqual([false, true]);
    expect(await call('say', {}, { reauthenticated: true })).toMatchObject({
      kind: 'failure',
      code: 'provider_rejected',
    });
    expect(asked).toHaveLength(3);
    token = () => Promise.resolve({ kind: 'token', accessToken: 'dead' });
    expect(await call('say')).toMatchObject({ kind: 'failure', code: 'provider_rejected' });
  });

  it('logs an unknown failure, unless the run has ended', async () => {
    const log = recordedLog();
    parrot.behaviour = () => Promise.reject(new Error('SECRET'));
    await call('say');
    expect(log).toMatchObject([{ level: 'error', fields: { event: 'tool_failed', tool: 'say' } }]);
    await call('say', { signal: AbortSignal.abort() });
    expect(log).toHaveLength(1);
  });

  it.each([
    [new ToolError('provider_rate_limited', 'Wait.'), 'provider_rate_limited', 'Wait.'],
    [new AppError('identity_unavailable'), 'identity_unavailable', 'did not answer'],
    [new AppError('sessions_unavailable'), 'sessions_unavailable', 'did not answer'],
    [new AppError('internal_error'), 'tool_failed', 'The tool failed'],
    [new Error('SECRET'), 'tool_failed', 'The tool failed'],
  ])('turns %s into an outcome', async (error, code, message) => {
    parrot.behaviour = () => Promise.reject(error);
    expect(await call('say')).toEqual({
      kind: 'failure',
      code,
      message: expect.stringContaining(message) as unknown,
    });
  });

  it('refuses an output that repeats the token', async () => {
    parrot.behaviour = () => Promise.resolve({ said: 'Authorization: Bearer token' });
    expect(await call('say')).toMatchObject({ kind: 'failure', code: 'tool_output_invalid' });
  });

  it('refuses an output of another shape', async () => {
    parrot.behaviour = () => Promise.resolve({ said: 7 as unknown as string });
    expect(await call('say')).toMatchObject({ kind: 'failure', code: 'tool_output_invalid' });
  });

  it('counts a scope as asked for that any tool of the provider may ask for', async () => {
    const account = { id: '1', login: 'polly', scopes: ['speak', 'write', 'all'] };
    const identify = (): Promise<typeof account> => Promise.resolve(account);
    const identifying = await start([Parrot], { ...parrotProvider, identify });
    await identifying.init();
    registry = identifying.get(ToolRegistry);
    expect(await call('say')).toMatchObject({ kind: 'result', widerScopes: ['all'] });
    await identifying.close();
  });

  const described = { provider: 'parrot', scopes: ['speak'] };
  it.each([
    ['a name that another tool has', 'say', described],
    ['a name that is none', 'Say It', described],
    ['another provider', 'other', { provider: 'lion', scopes: ['speak'] }],
    ['a scope without words', 'other', { provider: 'parrot', scopes: ['fly'] }],
  ])('does not start with a tool that has %s', async (_name, name, access) => {
    class Second {
      @AgentTool({ name, title: 'x', description: 'x', input, output, access, effect: 'read' })
      say(): Promise<{ said: string }> {
        return Promise.resolve({ said: '' });
      }
    }
    await expect(start([Parrot, Second])).rejects.toThrow(/^Tool /);
  });

  it('does not start with a tool whose writes are to be looked up by a method that is not there', async () => {
    class Second {
      @AgentTool({
        name: 'other',
        title: 'x',
        description: 'x',
        input,
        output,
        access: described,
        effect: 'write',
        verifiedBy: 'find',
      })
      say(): Promise<{ said: string }> {
        return Promise.resolve({ said: '' });
      }
    }
    await expect(start([Parrot, Second])).rejects.toThrow('Tool other: no method find');
  });
});
