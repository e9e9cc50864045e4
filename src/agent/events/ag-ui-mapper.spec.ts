import { verifyEvents } from '@ag-ui/client';
import type { AGUIEvent } from '@ag-ui/core';
import { EventSchema } from '@ag-ui/core/schemas';
import { describe, expect, it } from '@jest/globals';
import { from } from 'rxjs';
import { AppError } from '../../common/errors/index.js';
import type { PresentedInterrupt } from '../interrupts/index.js';
import type { RunEvent } from '../runs/index.js';
import { AgUiMapper } from './ag-ui-mapper.js';

const ids = { threadId: 'one', runId: 'run' };
const interrupt: PresentedInterrupt = {
  stored: {
    id: 'interrupt-1',
    kind: 'approval_required',
    toolCallId: 'a',
    tool: 'send',
    title: 'Send',
    pauses: 1,
    reauthenticated: false,
    loopId: 'loop',
    input: {},
    digest: 'DIGEST',
    inputBytes: 2,
  },
  message: 'May it be sent?',
  decidedBy: 'approved',
};

const started: RunEvent = { kind: 'started' };
const answerStarted: RunEvent = { kind: 'answer_started' };
const blockEnded: RunEvent = { kind: 'block_ended' };
const success: RunEvent = { kind: 'finished', outcome: 'success' };
const failed: RunEvent = { kind: 'failed', error: new AppError('run_timeout') };
const interrupted: RunEvent = { kind: 'interrupted', interrupts: [interrupt] };
const text = (delta: string): RunEvent => ({ kind: 'text', delta });
const reasoning = (delta: string): RunEvent => ({ kind: 'reasoning', delta });
const call = (toolCallId: string): RunEvent => ({ kind: 'tool_call_started', toolCallId, name: 'send' });
const callArguments = (delta: string): RunEvent => ({ kind: 'tool_call_arguments', delta });
const result = (toolCallId: string): RunEvent => ({ kind: 'tool_result', toolCallId, content: '{}' });

const TEXT = ['TEXT_MESSAGE_START', 'TEXT_MESSAGE_CONTENT', 'TEXT_MESSAGE_END'];
const REASONING = [
  'REASONING_START',
  'REASONING_MESSAGE_START',
  'REASONING_MESSAGE_CONTENT',
  'REASONING_MESSAGE_END',
  'REASONING_END',
];
const ENDS = ['RUN_FINISHED', 'RUN_ERROR'];

const mapped = (events: readonly RunEvent[]): readonly AGUIEvent[] => {
  const mapper = new AgUiMapper(ids);
  return events.flatMap((event) => mapper.map(event));
};
const typesOf = (events: readonly AGUIEvent[]): readonly string[] => events.map(({ type }) => type);
/** The members of that name, of the events that have one. */
const members = (events: readonly AGUIEvent[], name: string): readonly unknown[] =>
  events.flatMap((event): unknown[] => (name in event ? [Reflect.get(event, name)] : []));
const ofType = (events: readonly AGUIEvent[], ...types: readonly string[]): readonly AGUIEvent[] =>
  events.filter(({ type }) => types.includes(type));
const messageIdsOf = (events: readonly AGUIEvent[], ...types: readonly string[]): readonly unknown[] =>
  members(ofType(events, ...types), 'messageId');

describe('AgUiMapper', () => {
  it('begins a run under the ids of the client', () => {
    expect(mapped([started])).toEqual([{ type: 'RUN_STARTED', ...ids }]);
  });

  it.each(['success', 'cancelled'] as const)('tells that a run has finished by %s', (outcome) => {
    expect(mapped([{ kind: 'finished', outcome }])).toEqual([
      { type: 'RUN_FINISHED', ...ids, outcome: { type: outcome } },
    ]);
  });

  it('tells what a run that is interrupted waits for', () => {
    expect(mapped([interrupted])).toMatchObject([
      {
        type: 'RUN_FINISHED',
        ...ids,
        outcome: {
          type: 'interrupt',
          interrupts: [{ id: 'interrupt-1', reason: 'approval_required', message: 'May it be sent?' }],
        },
      },
    ]);
  });

  it('tells of a failure its code and its text for users', () => {
    const cause = new Error('SECRET');
    const error = new AppError('run_timeout', { detail: 'It took too long.', cause });
    expect(mapped([{ kind: 'failed', error }])).toEqual([
      { type: 'RUN_ERROR', code: 'run_timeout', message: 'It took too long.' },
    ]);
  });

  it('tells of a failure the id of the request, in a member that AG-UI has', () => {
    const [event] = mapped([{ ...failed, requestId: 'request' }]);
    expect(event).toMatchObject({ type: 'RUN_ERROR', metadata: { requestId: 'request' } });
    expect(EventSchema.parse(event)).toEqual(event);
  });

  it('tells that the earliest messages are summarised', () => {
    expect(mapped([{ kind: 'earlier_summarised', messages: 32 }])).toEqual([
      { type: 'CUSTOM', name: 'earlier_summarised', value: { messages: 32 } },
    ]);
  });

  it('passes a notice on', () => {
    expect(mapped([{ kind: 'notice', notice: { notice: 'wider_scopes' } }])).toEqual([
      { type: 'CUSTOM', name: 'notice', value: { notice: 'wider_scopes' } },
    ]);
  });

  describe('for text', () => {
    it('streams one message', () => {
      const events = mapped([answerStarted, text('he'), text('llo'), blockEnded]);
      expect(typesOf(events)).toEqual([
        'TEXT_MESSAGE_START',
        'TEXT_MESSAGE_CONTENT',
        'TEXT_MESSAGE_CONTENT',
        'TEXT_MESSAGE_END',
      ]);
      expect(members(events, 'delta')).toEqual(['he', 'llo']);
      expect(new Set(members(events, 'messageId')).size).toBe(1);
      expect(events[0]).toMatchObject({ role: 'assistant' });
    });

    it('streams a message of its own for each block', () => {
      const events = mapped([answerStarted, text('a'), blockEnded, text('b'), blockEnded]);
      expect(typesOf(events)).toEqual([...TEXT, ...TEXT]);
      expect(new Set(messageIdsOf(events, 'TEXT_MESSAGE_START')).size).toBe(2);
    });

    it('streams a message of its own for each answer', () => {
      const answer = [answerStarted, text('a'), blockEnded];
      const events = mapped([...answer, ...answer]);
      expect(new Set(messageIdsOf(events, 'TEXT_MESSAGE_START')).size).toBe(2);
    });

    it('ends the message when the next answer starts', () => {
      const events = mapped([answerStarted, text('a'), answerStarted]);
      expect(typesOf(events)).toEqual(TEXT);
    });
  });

  describe('for reasoning', () => {
    it('streams one message', () => {
      const events = mapped([answerStarted, reasoning('h'), reasoning('m'), blockEnded]);
      expect(typesOf(events)).toEqual([
        ...REASONING.slice(0, 3),
        'REASONING_MESSAGE_CONTENT',
        ...REASONING.slice(3),
      ]);
      expect(members(events, 'delta')).toEqual(['h', 'm']);
      expect(new Set(members(events, 'messageId')).size).toBe(1);
      expect(events[1]).toMatchObject({ role: 'reasoning' });
    });

    it('ends it when text follows, under another id', () => {
      const events = mapped([answerStarted, reasoning('hm'), text('a'), blockEnded]);
      expect(typesOf(events)).toEqual([...REASONING, ...TEXT]);
      expect(new Set(members(events, 'messageId')).size).toBe(2);
    });

    it('ends text when it follows', () => {
      expect(typesOf(mapped([answerStarted, text('a'), reasoning('hm'), blockEnded]))).toEqual([
        ...TEXT,
        ...REASONING,
      ]);
    });
  });

  describe('for a call', () => {
    it('streams its arguments under its id, and its result', () => {
      const events = mapped([
        answerStarted,
        call('a'),
        callArguments('{"b"'),
        callArguments(':1}'),
        blockEnded,
        result('a'),
      ]);
      expect(events).toMatchObject([
        { type: 'TOOL_CALL_START', toolCallId: 'a', toolCallName: 'send' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'a', delta: '{"b"' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'a', delta: ':1}' },
        { type: 'TOOL_CALL_END', toolCallId: 'a' },
        { type: 'TOOL_CALL_RESULT', toolCallId: 'a', content: '{}', role: 'tool' },
      ]);
    });

    it('says that the call belongs to the text before it', () => {
      const events = mapped([answerStarted, text('a'), blockEnded, call('a'), blockEnded, call('b')]);
      const [textId] = messageIdsOf(events, 'TEXT_MESSAGE_START');
      expect(members(events, 'parentMessageId')).toEqual([textId, textId]);
    });

    it('says that the call belongs to the text after it, where there was none before', () => {
      const events = mapped([answerStarted, call('a'), blockEnded, text('a')]);
      expect(members(events, 'parentMessageId')).toEqual(messageIdsOf(events, 'TEXT_MESSAGE_START'));
    });

    it('does not say that the call belongs to an answer before', () => {
      const events = mapped([answerStarted, text('a'), blockEnded, answerStarted, call('a')]);
      expect(members(events, 'parentMessageId')).not.toEqual(messageIdsOf(events, 'TEXT_MESSAGE_START'));
    });

    it.each<[string, RunEvent, readonly string[]]>([
      ['text', text('a'), TEXT],
      ['another call', call('b'), ['TOOL_CALL_START', 'TOOL_CALL_END']],
    ])('ends %s that is open', (_name, before, types) => {
      const events = mapped([answerStarted, before, call('a'), blockEnded]);
      expect(typesOf(events)).toEqual([...types, 'TOOL_CALL_START', 'TOOL_CALL_END']);
    });

    it.each<[string, readonly RunEvent[]]>([
      ['nothing', []],
      ['text', [text('a')]],
      ['reasoning', [reasoning('hm')]],
    ])('drops arguments where %s is open', (_name, before) => {
      const events = mapped([answerStarted, ...before, callArguments('{}')]);
      expect(ofType(events, 'TOOL_CALL_ARGS')).toEqual([]);
      expect(events).toHaveLength(mapped([answerStarted, ...before]).length);
    });

    it('gives each result an id of its own', () => {
      const events = mapped([result('a'), result('b')]);
      expect(new Set(members(events, 'messageId')).size).toBe(2);
    });
  });

  describe.each<[string, RunEvent]>([
    ['finishes', success],
    ['is interrupted', interrupted],
    ['fails', failed],
  ])('when the run %s', (_name, end) => {
    it.each<[string, RunEvent, readonly string[]]>([
      ['text', text('a'), ['TEXT_MESSAGE_END']],
      ['reasoning', reasoning('hm'), ['REASONING_MESSAGE_END', 'REASONING_END']],
      ['a call', call('a'), ['TOOL_CALL_END']],
    ])('ends %s that is open', (_kind, open, ends) => {
      const mapper = new AgUiMapper(ids);
      mapper.map(open);
      const events = mapper.map(end);
      expect(typesOf(events.slice(0, -1))).toEqual(ends);
      expect(ENDS).toContain(events.at(-1)?.type);
    });
  });

  it('ends a block once', () => {
    expect(typesOf(mapped([text('a'), blockEnded, blockEnded, success]))).toEqual([...TEXT, 'RUN_FINISHED']);
  });

  describe('with any run', () => {
    const seeds = Array.from({ length: 50 }, (_, seed) => seed + 1);

    it.each(seeds)('keeps the order that AG-UI clients check: seed %i', async (seed) => {
      const events = mapped(randomRun(seed));
      expect(await verified(events)).toEqual(events);
    });

    it.each(seeds)('sends events as AG-UI has them: seed %i', (seed) => {
      const events = mapped(randomRun(seed));
      expect(events.map((event) => EventSchema.parse(event))).toEqual(events);
    });

    it.each(seeds)('ends what it starts, under the same id, and then the run: seed %i', (seed) => {
      const run = randomRun(seed);
      const events = mapped(run);
      expect(openBlocks(events)).toEqual([]);
      expect(ofType(events, ...ENDS)).toHaveLength(1);
      expect(ENDS).toContain(events.at(-1)?.type);
      expect(events[0]?.type).toBe('RUN_STARTED');
    });

    it.each(seeds)('loses no text and uses no message id again: seed %i', (seed) => {
      const run = randomRun(seed);
      const events = mapped(run);
      const said = run.flatMap((event) => (event.kind === 'text' ? [event.delta] : []));
      expect(members(ofType(events, 'TEXT_MESSAGE_CONTENT'), 'delta')).toEqual(said);
      const startedIds = messageIdsOf(events, 'TEXT_MESSAGE_START', 'REASONING_START', 'TOOL_CALL_RESULT');
      expect(new Set(startedIds).size).toBe(startedIds.length);
    });
  });
});

/** The events that the check of AG-UI's own client lets through; it rejects at the first that is out of order. */
function verified(events: readonly AGUIEvent[]): Promise<readonly unknown[]> {
  const passed: unknown[] = [];
  // The client has an rxjs of its own.
  const checked = verifyEvents(false)(from([...events]) as never);
  return new Promise((resolve, reject) => {
    checked.subscribe({
      next: (event) => passed.push(event),
      error: reject,
      complete: () => {
        resolve(passed);
      },
    });
  });
}

/** Numbers below a bound, the same ones for the same seed: a linear congruential generator. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** A run as the contract has it: it starts, anything happens in any order, and it ends once. */
function randomRun(seed: number): readonly RunEvent[] {
  const below = randomNumbers(seed);
  let calls = 0;
  const makers: readonly (() => RunEvent)[] = [
    () => answerStarted,
    () => text(`text ${String(below(1000))}`),
    () => reasoning(`thought ${String(below(1000))}`),
    () => call(`call-${String((calls += 1))}`),
    () => callArguments('{}'),
    () => blockEnded,
    () => result(`call-${String(below(calls + 1))}`),
    () => ({ kind: 'notice', notice: below(1000) }),
    () => ({ kind: 'earlier_summarised', messages: below(1000) }),
  ];
  const ends = [success, interrupted, failed, { kind: 'finished', outcome: 'cancelled' }] as const;
  const between = Array.from({ length: below(40) }, () => makers[below(makers.length)]?.() ?? blockEnded);
  return [started, ...between, ends[below(ends.length)] ?? success];
}

/** What is still open at the end, and what was ended or continued without being open. */
function openBlocks(events: readonly AGUIEvent[]): readonly string[] {
  const open = new Set<string>();
  const wrong: string[] = [];
  for (const event of events) {
    const match = /^(TEXT_MESSAGE|REASONING_MESSAGE|REASONING|TOOL_CALL)_(START|CONTENT|ARGS|END)$/.exec(
      event.type,
    );
    if (match === null) continue;
    const [, block, step] = match;
    const id: unknown = Reflect.get(event, block === 'TOOL_CALL' ? 'toolCallId' : 'messageId');
    const name = `${String(block)} ${String(id)}`;
    if (open.has(name) === (step === 'START')) wrong.push(`${event.type} ${String(id)}`);
    if (step === 'START') open.add(name);
    if (step === 'END') open.delete(name);
  }
  return [...wrong, ...open];
}
