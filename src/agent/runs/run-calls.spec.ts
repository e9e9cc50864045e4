import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../common/errors/index.js';
import type { StoredInterrupt } from '../../sessions/index.js';
import type { ToolCall, ToolOutcome, ToolRegistry } from '../../tools/index.js';
import { PausedCalls } from '../interrupts/index.js';
import type { LoopCallResult } from '../strands/index.js';
import { RunCalls, type NotedTurn } from './run-calls.js';

const context = { user: { sub: 'alice' }, sessionId: 'one', runId: 'run' };
const stored: StoredInterrupt = {
  id: 'interrupt-1',
  kind: 'approval_required',
  toolCallId: 'a',
  tool: 'send',
  title: 'Send',
  pauses: 1,
  reauthenticated: true,
  loopId: 'loop',
  input: {},
  digest: 'DIGEST',
  inputBytes: 2,
};

describe('RunCalls', () => {
  let called: (ToolCall & { readonly name: string; readonly input: unknown })[];
  let outcome: ToolOutcome;
  let turn: NotedTurn;
  let noted: string[];

  beforeEach(() => {
    called = [];
    noted = [];
    const note = (text: string): void => {
      noted.push(text);
    };
    turn = {
      claimed: Promise.resolve(),
      since: 0,
      noteWrite: (toolCallId, digest) => {
        note(`begin ${toolCallId} ${digest}`);
        return Promise.resolve();
      },
      doubt: (toolCallId) => {
        note(`doubt ${toolCallId}`);
      },
      doubtedSince: (digest) => (digest === 'DIGEST' ? 7 : undefined),
      settleDoubt: (digest) => {
        note(`settle ${digest}`);
      },
    };
    outcome = { kind: 'result', provider: 'parrot', data: { said: 'hello' }, widerScopes: [] };
  });

  const registry = {
    call: (name: string, input: unknown, call: ToolCall) => {
      called.push({ ...call, name, input });
      return Promise.resolve(outcome);
    },
  } as unknown as ToolRegistry;

  const make = (paused = new PausedCalls(), { signal } = new AbortController()): Promise<LoopCallResult> => {
    const calls = new RunCalls(registry, context, { paused, turn });
    return calls.make({ name: 'send', toolCallId: 'a', input: { to: 'friend' }, signal });
  };
  const answered = (status: 'resolved' | 'cancelled'): PausedCalls =>
    new PausedCalls([
      { stored, answer: { interruptId: 'interrupt-1', status, payload: { approved: true } } },
    ]);

  it('makes a call for its user, in its conversation', async () => {
    await make();
    expect(called).toMatchObject([{ ...context, name: 'send', input: { to: 'friend' } }]);
  });

  it('notes the writes of its turn', async () => {
    await make();
    const writes = called[0]?.writes;
    await writes?.begin('DIGEST');
    writes?.settle('DIGEST');
    expect([writes?.doubtedSince('DIGEST'), writes?.doubtedSince('other')]).toEqual([7, undefined]);
    expect(noted).toEqual(['begin a DIGEST', 'settle DIGEST']);
  });

  it.each([
    ['tool_outcome_unknown', ['doubt a']],
    ['provider_unavailable', []],
  ] as const)('leaves a write in doubt that failed with %s, or not', async (code, expected) => {
    outcome = { kind: 'failure', code, message: 'why' };
    await make();
    expect(noted).toEqual(expected);
  });

  it('tells the model what the user has sent in the place of its input', async () => {
    outcome = { kind: 'result', provider: 'parrot', data: 1, widerScopes: [], edited: { word: 'b' } };
    expect(await make()).toMatchObject({
      json: {
        sent: { word: 'b' },
        changedByUser: 'The user changed the arguments before approving. This was sent in their place.',
      },
    });
  });

  it('says of a write that it had been done before', async () => {
    outcome = { kind: 'result', provider: 'parrot', data: 1, widerScopes: [], wasDone: true };
    expect(await make()).toMatchObject({
      json: {
        data: 1,
        note: 'This had been done by an earlier call whose outcome was not known. It was not done again.',
      },
    });
  });

  it('are made once the conversation is claimed, and not where that fails', async () => {
    const failure = new AppError('session_busy');
    const claimed = Promise.reject(failure);
    turn = { ...turn, claimed };
    await expect(make()).rejects.toBe(failure);
    expect(called).toEqual([]);
  });

  it('marks the answer of a tool as data from outside', async () => {
    expect(await make()).toEqual({
      kind: 'answered',
      status: 'success',
      json: { source: 'parrot', untrusted: true, data: { said: 'hello' } },
    });
  });

  it('answers with nothing where the tool does', async () => {
    outcome = { kind: 'result', provider: 'parrot', data: undefined, widerScopes: [] };
    expect(await make()).toMatchObject({ json: { data: null } });
  });

  it('blames nobody for a failure of a call whose run has ended', async () => {
    const ended = new AbortController();
    ended.abort();
    outcome = { kind: 'failure', code: 'identity_unavailable', message: 'Down.' };
    const said = { code: 'tool_failed', message: 'The run ended before this was done.' };
    expect(await make(new PausedCalls(), ended)).toMatchObject({ status: 'error', json: { error: said } });
    outcome = { kind: 'failure', code: 'tool_outcome_unknown', message: 'Unknown.' };
    expect(await make(new PausedCalls(), ended)).toMatchObject({
      json: { error: { code: 'tool_outcome_unknown' } },
    });
    expect(noted).toEqual(['doubt a']);
  });

  it('answers a failure as a typed error', async () => {
    outcome = { kind: 'failure', code: 'provider_unavailable', message: 'Down.' };
    expect(await make()).toEqual({
      kind: 'answered',
      status: 'error',
      json: { error: { code: 'provider_unavailable', message: 'Down.' } },
    });
  });

  it("makes a resumed call with the user's answer", async () => {
    await make(answered('resolved'));
    expect(called).toMatchObject([{ approved: 'DIGEST', reauthenticated: true }]);
  });

  it('does not make a call that the user has declined', async () => {
    expect(await make(answered('cancelled'))).toMatchObject({
      status: 'error',
      json: { error: { code: 'approval_declined' } },
    });
    expect(called).toEqual([]);
  });

  it('pauses, under another name each time', async () => {
    outcome = { kind: 'authorization_required', reauthenticated: false } as ToolOutcome;
    expect(await make()).toEqual({ kind: 'paused', name: 'authorization_required-1' });
    expect(await make(answered('resolved'))).toEqual({ kind: 'paused', name: 'authorization_required-2' });
  });

  it('leaves a call that it has paused where the run finds it', async () => {
    outcome = { kind: 'authorization_required', reauthenticated: false } as ToolOutcome;
    const paused = new PausedCalls();
    await make(paused);
    expect(paused.raised('a')?.outcome).toBe(outcome);
  });

  it.each(['result', 'approval_required'] as const)(
    'tells beside a %s which scopes the provider has granted that nobody asked for',
    async (kind) => {
      outcome = { kind, provider: 'parrot', data: {}, widerScopes: ['all'] } as unknown as ToolOutcome;
      expect((await make()).notice).toEqual({
        notice: 'wider_scopes',
        provider: 'parrot',
        scopes: ['all'],
      });
    },
  );
});
