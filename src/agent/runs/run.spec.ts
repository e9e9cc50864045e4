import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { recordedAudit } from '../../audit/testing/recorded-audit.js';
import { AppError } from '../../common/errors/index.js';
import { recordedLog, type LoggedLine } from '../../common/logging/testing/recorded-log.js';
import type { Conversations, StoredMessage } from '../../sessions/index.js';
import { begun, taskOn } from '../../sessions/testing/tasks.js';
import { MemoryStore } from '../../storage/testing/memory-store.js';
import type { ToolCall, ToolOutcome, ToolRegistry } from '../../tools/index.js';
import { Interrupts } from '../interrupts/index.js';
import { ScriptedModel, text, toolCalls, type ScriptedAnswer } from '../strands/testing/scripted-model.js';
import type { RunEvent } from './run-event.js';
import type { RunInput } from './run-request.js';
import { Run } from './run.js';
import {
  approvalRequired,
  assistant,
  authorizationRequired,
  CALL,
  context,
  failed,
  result,
  use,
  user,
} from './testing/run-cases.js';

describe('Run', () => {
  let store: MemoryStore;
  let conversations: Conversations;
  let outcomes: Map<string, ToolOutcome[]>;
  let called: (ToolCall & { readonly input: unknown })[];
  /** Called when a flow is recorded, which fails with what it throws. */
  let asking: () => void;
  let model: ScriptedModel;
  let abort: AbortController;
  let log: readonly LoggedLine[];

  beforeEach(() => {
    log = recordedLog();
    store = new MemoryStore();
    conversations = taskOn(store);
    outcomes = new Map();
    called = [];
    asking = () => undefined;
    abort = new AbortController();
  });

  const registry = {
    title: () => 'Say it',
    specifications: () => [{ name: 'say', title: 'Say it', description: 'Says.', inputSchema: {} }],
    call: (_name: string, input: { word?: string }, call: ToolCall) => {
      called.push({ ...call, input });
      return Promise.resolve(outcomes.get(input.word ?? '')?.shift() ?? result);
    },
  } as unknown as ToolRegistry;
  const ledger = {
    ask: async () => {
      await Promise.resolve();
      asking();
    },
  } as unknown as ConstructorParameters<typeof Interrupts>[2];
  const tickets = {
    connectUrl: () => Promise.resolve('https://a.example/connect'),
  } as unknown as ConstructorParameters<typeof Interrupts>[1];

  const events = async (input: RunInput, ...answers: readonly ScriptedAnswer[]): Promise<RunEvent[]> => {
    model = new ScriptedModel(...answers);
    const interrupts = new Interrupts(registry, tickets, ledger, recordedAudit().audit);
    const turnInput =
      input.kind === 'message'
        ? input
        : { kind: 'resume' as const, interruptIds: input.answers.map(({ interruptId }) => interruptId) };
    const turn = await begun(conversations, turnInput);
    const run = new Run({ model, registry, interrupts, modelCalls: 3 }, context, {
      input,
      turn,
      signal: abort.signal,
    });
    const all: RunEvent[] = [];
    for await (const event of run.events()) all.push(event);
    return all;
  };
  const say = (message: string, ...answers: readonly ScriptedAnswer[]): Promise<RunEvent[]> =>
    events({ kind: 'message', text: message }, ...answers);
  const pendingIds = async (): Promise<readonly string[]> =>
    ((await conversations.read('alice', 'one', { limit: 1 })).pending?.interrupts ?? []).map(({ id }) => id);
  const resume = async (
    answer: { readonly status: 'resolved' | 'cancelled'; readonly payload?: unknown },
    ...answers: readonly ScriptedAnswer[]
  ): Promise<RunEvent[]> => {
    const given = (await pendingIds()).map((interruptId) => ({ interruptId, ...answer }));
    return events({ kind: 'resume', answers: given }, ...answers);
  };
  const stored = async (): Promise<readonly StoredMessage[]> =>
    (await conversations.read('alice', 'one', { limit: 100 })).turns.flatMap(({ messages }) => messages);
  const lastTurn = async (): Promise<string | undefined> =>
    (await conversations.read('alice', 'one', { limit: 1 })).turns.at(-1)?.outcome;

  it('begins with a start, and ends with one end', async () => {
    expect(await say('hi', text('hello'))).toEqual([
      { kind: 'started' },
      { kind: 'answer_started' },
      { kind: 'text', delta: 'hello' },
      { kind: 'block_ended' },
      { kind: 'finished', outcome: 'success' },
    ]);
  });

  it('stores the message and the answer', async () => {
    await say('hi', text('hello'));
    expect(await stored()).toEqual([user({ text: 'hi' }), assistant({ text: 'hello' })]);
    expect(await lastTurn()).toBe('success');
  });

  it('shows the model the whole conversation, the new message last', async () => {
    await say('hi', text('hello'));
    await say('again', text('yes'));
    expect(model.asked.map(({ messages }) => messages)).toMatchObject([
      [user({ text: 'hi' }), assistant({ text: 'hello' }), user({ text: 'again' })],
    ]);
  });

  it('stores the calls of a run with their results', async () => {
    await say('say it', toolCalls(CALL), text('done'));
    const content = [{ json: { source: 'parrot', untrusted: true, data: { said: 'hello' } } }];
    expect(await stored()).toEqual([
      user({ text: 'say it' }),
      assistant(use('a')),
      user({ toolResult: { toolUseId: 'a', status: 'success', content } }),
      assistant({ text: 'done' }),
    ]);
  });

  it('ends after the calls of the model that it may make, and says how many', async () => {
    const answers = Array.from({ length: 13 }, (_, index) =>
      toolCalls({ ...CALL, toolUseId: String(index) }),
    );
    const end = (await say('loop', ...answers)).at(-1);
    const detail = 'The run was ended after 3 calls of the model. Ask for one thing at a time.';
    expect(end).toMatchObject({ kind: 'failed', error: { code: 'run_limit', detail } });
    expect(model.asked).toHaveLength(3);
    expect(await lastTurn()).toBe('error');
  });

  it('keeps the message, and logs the failure, when the model fails', async () => {
    const end = (await say('hi', new Error('SECRET'))).at(-1);
    expect(end).toMatchObject({ kind: 'failed' });
    expect(await stored()).toEqual([user({ text: 'hi' })]);
    expect(log).toMatchObject([{ level: 'error', context: 'Run', fields: { event: 'run_failed' } }]);
    expect(JSON.stringify(log)).not.toContain('SECRET');
  });

  it('says that the store failed, where the turn cannot be saved', async () => {
    const before = (): void => {
      store.beforePut = () => {
        throw new AppError('sessions_unavailable');
      };
    };
    const end = (
      await say('hi', () => {
        before();
        return text('hello');
      })
    ).at(-1);
    expect(end).toMatchObject({ kind: 'failed', error: { code: 'sessions_unavailable' } });
  });

  describe('that pauses', () => {
    it('ends with the interrupts, and stores them', async () => {
      outcomes.set('hello', [approvalRequired]);
      const end = (await say('say it', toolCalls(CALL))).at(-1);
      const { pending } = await conversations.read('alice', 'one', { limit: 1 });
      expect(pending?.interrupts).toMatchObject([
        { kind: 'approval_required', toolCallId: 'a', digest: 'DIGEST', pauses: 1 },
      ]);
      expect(end).toMatchObject({ kind: 'interrupted', interrupts: [{ stored: pending?.interrupts[0] }] });
      expect(await lastTurn()).toBe('interrupt');
    });

    it('numbers its interrupts in the order of the calls', async () => {
      outcomes.set('hello', [authorizationRequired, authorizationRequired]);
      await say('say it', toolCalls(CALL, { ...CALL, toolUseId: 'b' }));
      expect(await pendingIds()).toEqual(['interrupt-1', 'interrupt-2']);
    });

    it('goes on where it paused, without asking the model again', async () => {
      outcomes.set('hello', [approvalRequired, result]);
      await say('say it', toolCalls(CALL));
      const resumed = await resume({ status: 'resolved', payload: { approved: true } }, text('done'));
      expect(resumed.at(-1)).toEqual({ kind: 'finished', outcome: 'success' });
      expect(called.map(({ approved }) => approved)).toEqual([undefined, 'DIGEST']);
      expect(model.asked).toHaveLength(1);
      expect(await stored()).toMatchObject([
        user({ text: 'say it' }),
        assistant(use('a')),
        { role: 'user', content: [{ toolResult: { toolUseId: 'a', status: 'success' } }] },
        assistant({ text: 'done' }),
      ]);
    });

    it('tells the model that the user has declined', async () => {
      outcomes.set('hello', [approvalRequired]);
      await say('say it', toolCalls(CALL));
      await resume({ status: 'cancelled' }, text('all right'));
      expect(called).toHaveLength(1);
      expect(JSON.stringify(model.asked)).toContain('approval_declined');
    });

    it('pauses again, under the next number, and keeps an approval meanwhile', async () => {
      outcomes.set('hello', [approvalRequired, authorizationRequired, result]);
      await say('say it', toolCalls(CALL));
      await resume({ status: 'resolved', payload: { approved: true } });
      expect(await pendingIds()).toEqual(['interrupt-2']);
      await resume({ status: 'resolved' }, text('done'));
      expect(called.map(({ approved }) => approved)).toEqual([undefined, 'DIGEST', 'DIGEST']);
    });

    it('is closed by a message, with an error for the call that waited', async () => {
      outcomes.set('hello', [approvalRequired]);
      await say('say it', toolCalls(CALL));
      await say('never mind', text('fine'));
      expect(await pendingIds()).toEqual([]);
      expect(await stored()).toEqual([
        user({ text: 'say it' }),
        assistant(use('a')),
        user(failed('a', 'The user went on without allowing this.'), { text: 'never mind' }),
        assistant({ text: 'fine' }),
      ]);
    });

    it('keeps the result of a call beside the one that waits, when it is closed', async () => {
      outcomes.set('wait', [approvalRequired]);
      const waiting = { toolUseId: 'b', name: 'say', input: { word: 'wait' } };
      await say('say both', toolCalls(CALL, waiting));
      await say('never mind', text('fine'));
      expect((await stored())[2]).toMatchObject({
        content: [
          { toolResult: { toolUseId: 'a', status: 'success' } },
          failed('b', 'The user went on without allowing this.'),
          { text: 'never mind' },
        ],
      });
    });

    it('forgets no result where the user cannot be asked', async () => {
      outcomes.set('wait', [authorizationRequired]);
      asking = () => {
        throw new AppError('flows_unavailable');
      };
      const waiting = { toolUseId: 'b', name: 'say', input: { word: 'wait' } };
      const end = (await say('say both', toolCalls(CALL, waiting))).at(-1);
      expect(end).toMatchObject({ kind: 'failed', error: { code: 'flows_unavailable' } });
      expect((await stored()).at(-1)).toMatchObject({
        content: [
          { toolResult: { toolUseId: 'a', status: 'success' } },
          failed('b', 'The user could not be asked, so this was not done.'),
        ],
      });
      expect(await pendingIds()).toEqual([]);
    });
  });

  describe('that was cut off', () => {
    const cutOff = async (write?: string): Promise<void> => {
      outcomes.set('hello', [approvalRequired]);
      await say('say it', toolCalls(CALL));
      const turn = await begun(conversations, { kind: 'resume', interruptIds: await pendingIds() });
      if (write !== undefined) await turn.noteWrite(write, 'DIGEST');
      jest.advanceTimersByTime(7_000);
      conversations = taskOn(store);
    };

    beforeEach(() => {
      jest.useFakeTimers();
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it.each([
      [
        'was begun',
        'a',
        'This was begun, and the run was cut off before its outcome was known. It may have been done: check before you try again.',
      ],
      ['was not begun', undefined, 'The run was cut off before this was begun, so it was not done.'],
    ])('says what is known of a write that %s', async (_name, write, said) => {
      await cutOff(write);
      await say('and now?', text('fine'));
      expect((await stored()).at(-2)).toEqual(user(failed('a', said), { text: 'and now?' }));
      expect(JSON.stringify(model.asked)).toContain(said);
    });

    it('is not resumed again', async () => {
      await cutOff('a');
      await expect(resume({ status: 'resolved', payload: { approved: true } })).rejects.toMatchObject({
        code: 'interrupt_not_pending',
      });
      expect(called).toHaveLength(1);
    });
  });

  it('is resumed although a message before it got no answer', async () => {
    await say('hi', new Error('away'));
    outcomes.set('hello', [approvalRequired, result]);
    await say('say it', toolCalls(CALL));
    await resume({ status: 'resolved', payload: { approved: true } }, text('done'));
    expect(model.asked[0]?.messages).toMatchObject(['user', 'assistant', 'user'].map((role) => ({ role })));
  });

  it('shows the model a message once that is sent again because it got no answer', async () => {
    await say('hi', new Error('away'));
    await say('hi', text('hello'));
    expect(model.asked[0]?.messages).toEqual([user({ text: 'hi' })]);
    await say('other', new Error('away'));
    await say('another', text('fine'));
    expect(model.asked[0]?.messages.at(-1)).toEqual(user({ text: 'other' }, { text: 'another' }));
  });

  describe('whose answer breaks off', () => {
    const broken = (): ReturnType<typeof text> => text('half an ', 'answer').slice(0, -2);

    it.each<[string, ScriptedAnswer[], string[]]>([
      ['in its first answer', [broken], ['half an answer']],
      ['after a call', [toolCalls(CALL), broken], ['half an answer']],
      ['before a word', [toolCalls(CALL), new Error('away')], []],
      ['not', [text('whole')], ['whole']],
    ])('keeps what the user has read: %s', async (_name, answers, kept) => {
      await say('hi', ...answers);
      const texts = (await stored()).flatMap(({ role, content }) =>
        role === 'assistant' ? content.flatMap((block) => ('text' in block ? [block.text] : [])) : [],
      );
      expect(texts).toEqual(kept);
    });
  });

  describe('that is aborted', () => {
    it.each([
      [undefined, { kind: 'finished', outcome: 'cancelled' }, 'cancelled'],
      [new AppError('run_timeout'), { kind: 'failed', error: { code: 'run_timeout' } }, 'error'],
    ])('by %s while the model answers: keeps the message', async (cause, end, outcome) => {
      const before = (): void => {
        abort.abort(cause);
      };
      expect(
        (
          await say('hi', () => {
            before();
            return text('half');
          })
        ).at(-1),
      ).toMatchObject(end);
      expect((await stored())[0]).toEqual(user({ text: 'hi' }));
      expect(await lastTurn()).toBe(outcome);
    });

    it.each([
      [undefined, { kind: 'finished', outcome: 'cancelled' }, 'cancelled'],
      [new AppError('run_timeout'), { kind: 'failed', error: { code: 'run_timeout' } }, 'error'],
    ])(
      'by %s while the user is asked: tells why it ended, and keeps the results',
      async (cause, end, outcome) => {
        outcomes.set('wait', [authorizationRequired]);
        asking = () => {
          abort.abort(cause);
          throw new AppError('flows_unavailable', { reason: 'aborted' });
        };
        const waiting = { toolUseId: 'b', name: 'say', input: { word: 'wait' } };
        expect((await say('say both', toolCalls(CALL, waiting))).at(-1)).toMatchObject(end);
        expect((await stored()).at(-1)).toMatchObject({
          content: [
            { toolResult: { toolUseId: 'a', status: 'success' } },
            failed('b', 'The user could not be asked, so this was not done.'),
          ],
        });
        expect(await lastTurn()).toBe(outcome);
      },
    );

    it.each([
      [undefined, { kind: 'finished', outcome: 'cancelled' }],
      [new AppError('shutting_down'), { kind: 'failed', error: { code: 'shutting_down' } }],
    ])('by %s before the model was called: keeps the message, and calls nothing', async (cause, end) => {
      abort.abort(cause);
      expect(await say('hi')).toMatchObject([{ kind: 'started' }, end]);
      expect(model.asked).toEqual([]);
      expect(await stored()).toEqual([user({ text: 'hi' })]);
      expect(await lastTurn()).toBe('cancelled');
    });

    it('before it was resumed: stays paused', async () => {
      outcomes.set('hello', [approvalRequired]);
      await say('say it', toolCalls(CALL));
      const before = await pendingIds();
      abort.abort(new AppError('shutting_down'));
      await resume({ status: 'resolved', payload: { approved: true } });
      expect(await pendingIds()).toEqual(before);
      expect(called).toHaveLength(1);
    });
  });
});
