import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  ContextWindowOverflowError,
  MaxTokensError,
  ModelThrottledError,
  type Model,
} from '@strands-agents/sdk';
import type { Json, StoredMessage } from '../../sessions/index.js';
import type { ToolSpecification } from '../../tools/index.js';
import { AgentLoop, type LoopAnswer, type LoopEnd, type LoopOptions } from './agent-loop.js';
import type { LoopEvent } from './loop-event.js';
import type { LoopCall, LoopCallResult } from './loop-tool.js';
import { MeasuredModel } from './measured.model.js';
import { answerOf, ScriptedModel, text, textBlock, toolCalls, counted } from './testing/scripted-model.js';

const HISTORY: readonly StoredMessage[] = [
  { role: 'user', content: [{ text: 'hello' }] },
  { role: 'assistant', content: [{ text: 'hi' }] },
  { role: 'user', content: [{ text: 'SECRET question' }] },
];
const tool = (name: string): ToolSpecification => ({
  name,
  title: 'A title for people',
  description: `Use ${name}.`,
  inputSchema: { type: 'object' },
});
const call = (toolUseId: string, name = 'read') => ({ toolUseId, name, input: { of: toolUseId } });
const answered = (json: Json): LoopCallResult => ({ kind: 'answered', status: 'success', json });
const paused: LoopCallResult = { kind: 'paused', name: 'consent-1' };
const resultOf = (toolUseId: string, json: Json): object => ({
  toolResult: { toolUseId, status: 'success', content: [{ json }] },
});

/** A loop that was run to its end. */
interface Ran {
  readonly events: readonly LoopEvent[];
  readonly end: LoopEnd;
}

async function ran(loop: AgentLoop): Promise<Ran> {
  const events: LoopEvent[] = [];
  const run = loop.run();
  for (;;) {
    const { done, value } = await run.next();
    if (done === true) return { events, end: value };
    events.push(value);
  }
}

describe('AgentLoop', () => {
  let called: LoopCall[];
  let results: Readonly<Record<string, LoopCallResult>>;

  beforeEach(() => {
    called = [];
    results = {};
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const optionsFor = (model: Model, more: Partial<LoopOptions> = {}): LoopOptions => ({
    model,
    systemPrompt: 'Be kind.',
    tools: [tool('read'), tool('write')],
    makeCall: (made) => {
      called.push(made);
      return Promise.resolve(results[made.toolCallId] ?? answered({ said: made.toolCallId }));
    },
    signal: new AbortController().signal,
    maximumModelCalls: 5,
    ...more,
  });
  const answering = (model: Model, more?: Partial<LoopOptions>): AgentLoop =>
    AgentLoop.answering(optionsFor(model, more), HISTORY);

  describe('that answers', () => {
    it('tells what the model says, as it says it', async () => {
      const { events, end } = await ran(answering(new ScriptedModel(text('go', 'od'))));
      expect(end).toEqual({ kind: 'success' });
      expect(events).toEqual([
        { kind: 'answer_started' },
        { kind: 'text', delta: 'go' },
        { kind: 'text', delta: 'od' },
        { kind: 'block_ended' },
      ]);
    });

    it('sends the model the whole conversation, the system prompt and the tools', async () => {
      const model = new ScriptedModel(text('good'));
      await ran(answering(model));
      expect(model.asked).toHaveLength(1);
      expect(model.asked[0]?.messages).toEqual(HISTORY);
      expect(model.asked[0]?.options).toMatchObject({
        systemPrompt: 'Be kind.',
        toolSpecs: [
          { name: 'read', description: 'Use read.', inputSchema: { type: 'object' } },
          { name: 'write', description: 'Use write.' },
        ],
      });
    });

    it('adds the answer to what it has added, and not to the messages that it was given', async () => {
      const given = [...HISTORY];
      const loop = AgentLoop.answering(optionsFor(new ScriptedModel(text('good'))), given);
      expect(loop.added).toEqual([]);
      await ran(loop);
      expect(loop.added).toEqual([{ role: 'assistant', content: [{ text: 'good' }] }]);
      expect(given).toEqual(HISTORY);
    });

    it('prints nothing of a conversation', async () => {
      const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
      await ran(answering(new ScriptedModel(toolCalls(call('a')), text('good'))));
      expect(written).not.toHaveBeenCalled();
    });

    it('makes the calls of the model, and gives it their results', async () => {
      const model = new ScriptedModel(toolCalls(call('a'), call('b', 'write')), text('done'));
      const loop = answering(model);
      const { events, end } = await ran(loop);
      expect(end).toEqual({ kind: 'success' });
      expect(called).toMatchObject([
        { name: 'read', toolCallId: 'a', input: { of: 'a' } },
        { name: 'write', toolCallId: 'b', input: { of: 'b' } },
      ]);
      const results = [resultOf('a', { said: 'a' }), resultOf('b', { said: 'b' })];
      expect(model.asked[1]?.messages.at(-1)).toEqual({ role: 'user', content: results });
      expect(loop.added).toEqual([
        {
          role: 'assistant',
          content: [{ toolUse: call('a') }, { toolUse: call('b', 'write') }],
        },
        { role: 'user', content: results },
        { role: 'assistant', content: [{ text: 'done' }] },
      ]);
      expect(events).toContainEqual({ kind: 'tool_call_started', toolCallId: 'b', name: 'write' });
      expect(events).toContainEqual({ kind: 'tool_result', toolCallId: 'a', content: '{"said":"a"}' });
    });

    it('tells the user of a call what the call has to say beside its result', async () => {
      results = { a: { ...answered(1), notice: { notice: 'wider_scopes' } } };
      const { events } = await ran(answering(new ScriptedModel(toolCalls(call('a')), text('done'))));
      expect(events).toContainEqual({ kind: 'notice', notice: { notice: 'wider_scopes' } });
    });

    it('ends at the number of model calls that it may make', async () => {
      const model = new ScriptedModel(toolCalls(call('a')));
      expect((await ran(answering(model, { maximumModelCalls: 2 }))).end).toEqual({
        kind: 'limit',
        limit: 'limitTurns',
      });
      expect(model.asked).toHaveLength(2);
    });

    it.each(['limitTurns', 'limitOutputTokens', 'limitTotalTokens'] as const)(
      'tells that %s ended it',
      async (limit) => {
        const model = new ScriptedModel(answerOf([textBlock(['well'])], limit));
        expect((await ran(answering(model))).end).toEqual({ kind: 'limit', limit });
      },
    );

    it.each(['endTurn', 'stopSequence', 'contentFiltered', 'guardrailIntervened'] as const)(
      'has answered where the model stops by %s',
      async (reason) => {
        const model = new ScriptedModel(answerOf([textBlock(['well'])], reason));
        expect((await ran(answering(model))).end).toEqual({ kind: 'success' });
      },
    );

    it('does not ask the model when it was cancelled before', async () => {
      const model = new ScriptedModel(text('good'));
      const { end, events } = await ran(answering(model, { signal: AbortSignal.abort() }));
      expect(end).toEqual({ kind: 'cancelled' });
      expect(events).toEqual([]);
      expect(model.asked).toEqual([]);
    });

    it('ends when it is cancelled in the middle of a call, which is told of it', async () => {
      const controller = new AbortController();
      const makeCall = (made: LoopCall): Promise<LoopCallResult> => {
        called.push(made);
        controller.abort();
        return Promise.resolve(answered('late'));
      };
      const model = new ScriptedModel(toolCalls(call('a')), text('never'));
      const loop = answering(model, { signal: controller.signal, makeCall });
      expect((await ran(loop)).end).toEqual({ kind: 'cancelled' });
      expect(called[0]?.signal.aborted).toBe(true);
      expect(model.asked).toHaveLength(1);
      expect(loop.added.slice(0, 2)).toEqual([
        { role: 'assistant', content: [{ toolUse: call('a') }] },
        { role: 'user', content: [resultOf('a', 'late')] },
      ]);
    });

    it.each<[string, Error]>([
      ['throttled', new ModelThrottledError('slow down')],
      ['sent too much', new ContextWindowOverflowError('too long')],
      ['broken', new Error('broken')],
    ])('throws what the model throws when it is %s, and asks it once', async (_state, error) => {
      const model = new ScriptedModel(error);
      const loop = answering(model);
      await expect(ran(loop)).rejects.toMatchObject({ message: error.message });
      expect(model.asked).toHaveLength(1);
      expect(loop.added).toEqual([]);
    });

    it('throws where an answer was cut off', async () => {
      const loop = answering(new ScriptedModel(answerOf([textBlock(['we'])], 'maxTokens')));
      await expect(ran(loop)).rejects.toThrow(MaxTokensError);
    });

    it('counts the tokens of all calls of the model, also of an answer that is too long', async () => {
      const tooLong = answerOf([textBlock(['we'])], 'maxTokens');
      const model = new MeasuredModel(
        new ScriptedModel(
          counted(toolCalls(call('a')), [10, 3]),
          toolCalls(call('b')),
          counted(tooLong, [20, 4]),
        ),
      );
      const loop = answering(model);
      expect(model.usage).toMatchObject({ inputTokens: 0, outputTokens: 0 });
      await expect(ran(loop)).rejects.toThrow(MaxTokensError);
      expect(model.usage).toMatchObject({ inputTokens: 30, outputTokens: 7 });
    });
  });

  describe('that waits', () => {
    const twoCalls = (): ScriptedModel =>
      new ScriptedModel(toolCalls(call('a'), call('b', 'write')), text('done'));
    const pausedLoop = async (): Promise<{ readonly loop: AgentLoop; readonly waiting: LoopAnswer[] }> => {
      const loop = answering(twoCalls());
      const { end } = await ran(loop);
      if (end.kind !== 'paused') throw new TypeError('the loop does not wait');
      return { loop, waiting: end.calls.map(({ loopId }) => ({ loopId, status: 'resolved' })) };
    };
    const resumed = (model: Model, snapshot: Json, answers: readonly LoopAnswer[]): AgentLoop =>
      AgentLoop.resuming(optionsFor(model), HISTORY, snapshot, answers);

    it('tells which calls it waits at, and adds nothing to the conversation', async () => {
      results = { b: paused };
      const loop = answering(twoCalls());
      expect((await ran(loop)).end).toEqual({
        kind: 'paused',
        calls: [{ toolCallId: 'b', loopId: expect.any(String) as unknown }],
      });
      expect(loop.added).toEqual([]);
    });

    it('keeps neither the conversation nor the system prompt in its snapshot', async () => {
      results = { b: paused };
      const { loop } = await pausedLoop();
      const kept = JSON.stringify(loop.snapshot);
      expect(kept).toContain('"toolUseId":"a"');
      expect(kept).not.toContain('SECRET');
      expect(kept).not.toContain('Be kind');
    });

    it('goes on, from a snapshot that was stored, with the calls that have no result yet', async () => {
      results = { b: paused };
      const { loop, waiting } = await pausedLoop();
      const stored = JSON.parse(JSON.stringify(loop.snapshot)) as Json;
      [called, results] = [[], {}];
      const model = new ScriptedModel(text('done'));
      const next = resumed(model, stored, waiting);
      expect((await ran(next)).end).toEqual({ kind: 'success' });
      expect(called).toMatchObject([{ name: 'write', toolCallId: 'b', input: { of: 'b' } }]);
      expect(model.asked[0]?.messages).toEqual([
        ...HISTORY,
        { role: 'assistant', content: [{ toolUse: call('a') }, { toolUse: call('b', 'write') }] },
        { role: 'user', content: [resultOf('a', { said: 'a' }), resultOf('b', { said: 'b' })] },
      ]);
      expect(next.added).toHaveLength(3);
    });

    it('waits again where a call is paused under another name', async () => {
      results = { b: paused };
      const { loop, waiting } = await pausedLoop();
      results = { b: { kind: 'paused', name: 'consent-2' } };
      const next = resumed(twoCalls(), loop.snapshot, waiting);
      const { end } = await ran(next);
      expect(end).toMatchObject({ kind: 'paused', calls: [{ toolCallId: 'b' }] });
      expect(end.kind === 'paused' && end.calls[0]?.loopId).not.toBe(waiting[0]?.loopId);
    });

    it.each<[string, Json]>([
      ['nothing', null],
      ['no snapshot', { any: 'thing' }],
      [
        'a snapshot of another version',
        { scope: 'agent', schemaVersion: '0.1', createdAt: '', data: {}, appData: {} },
      ],
    ])('does not go on from %s', (_name, snapshot) => {
      expect(() => resumed(twoCalls(), snapshot, [])).toThrow();
    });

    it('refuses an answer to what it did not ask', async () => {
      results = { b: paused };
      const { loop } = await pausedLoop();
      const next = resumed(twoCalls(), loop.snapshot, [{ loopId: 'other', status: 'resolved' }]);
      await expect(ran(next)).rejects.toThrow();
      expect(called.filter(({ toolCallId }) => toolCallId === 'b')).toHaveLength(1);
    });
  });
});
