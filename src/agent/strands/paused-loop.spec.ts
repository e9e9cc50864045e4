import { describe, expect, it } from '@jest/globals';
import type { Interrupt, Snapshot } from '@strands-agents/sdk';
import type { Json } from '../../sessions/index.js';
import { keptBlocks, snapshotOf, storedSnapshot, unfinishedAnswer, waitingCalls } from './paused-loop.js';

const whole = {
  scope: 'agent',
  schemaVersion: '1.0',
  createdAt: '2026-01-01',
  data: {},
  appData: {},
} as const;
const without = (member: keyof typeof whole): Json =>
  Object.fromEntries(Object.entries(whole).filter(([name]) => name !== member));
const execution = (pendingToolExecution: Json): Json => ({
  ...whole,
  data: { interrupts: { activated: true, interrupts: {}, pendingToolExecution } },
});
const toolUse = { toolUseId: 'a', name: 'read', input: { b: 1 } };

describe('keptBlocks', () => {
  it.each<[string, object]>([
    ['text', { text: 'hello' }],
    ['a call', { toolUse }],
    ['a result', { toolResult: { toolUseId: 'a', status: 'error', content: [{ json: null }] } }],
    ['reasoning', { reasoning: { text: 'hm', signature: 'x' } }],
  ])('keeps %s', (_name, block) => {
    expect(keptBlocks([block])).toEqual([block]);
  });

  it.each<[string, unknown]>([
    ['an image', { image: { format: 'png' } }],
    ['a cache point', { cachePoint: { cacheType: 'default' } }],
    ['a call without an id', { toolUse: { name: 'read', input: {} } }],
    ['nothing', null],
  ])('drops %s, and nothing beside it', (_name, block) => {
    expect(keptBlocks([{ text: 'before' }, block, { text: 'after' }])).toEqual([
      { text: 'before' },
      { text: 'after' },
    ]);
  });

  it('reads a block as it would be stored', () => {
    expect(keptBlocks([{ toJSON: () => ({ text: 'hello' }) }])).toEqual([{ text: 'hello' }]);
  });

  it.each([[{}], ['text'], [null]])('refuses content that is no list: %j', (content) => {
    expect(() => keptBlocks(content)).toThrow('expected array');
  });
});

describe('a snapshot', () => {
  it('is stored as plain JSON', () => {
    const taken = { ...whole, data: { at: new Date(0), none: undefined } } as unknown as Snapshot;
    expect(storedSnapshot(taken)).toStrictEqual({ ...whole, data: { at: '1970-01-01T00:00:00.000Z' } });
  });

  it.each(['agent', 'multiAgent'] as const)('is read as it was stored, of the scope %s', (scope) => {
    const stored = { ...whole, scope, data: { a: [1], b: null }, appData: { c: 'd' } };
    expect(snapshotOf(stored)).toEqual(stored);
  });

  it.each<[string, Json]>([
    ['null', null],
    ['another scope', { ...whole, scope: 'other' }],
    ['a list in the place of the data', { ...whole, data: [] }],
    ['no scope', without('scope')],
    ['no version', without('schemaVersion')],
    ['no time', without('createdAt')],
    ['no data', without('data')],
    ['no data of the application', without('appData')],
  ])('is refused with %s', (_name, stored) => {
    expect(() => snapshotOf(stored)).toThrow();
  });
});

describe('unfinishedAnswer', () => {
  const content = [{ text: 'One moment.' }, { toolUse }];
  const message = { role: 'assistant', content };
  const toolResult = { toolUseId: 'a', status: 'success', content: [{ json: { said: 'b' } }] };

  it('is the answer whose calls a loop was cut off at, with the results so far', () => {
    const stored = execution({
      assistantMessageData: { ...message, content: [...content, { image: {} }], trackingId: 'x' },
      completedToolResults: { a: { toolResult } },
    });
    expect(unfinishedAnswer(stored)).toEqual({ message, results: [toolResult] });
  });

  it('has no results before the first call is over', () => {
    const stored = execution({ assistantMessageData: message, completedToolResults: {} });
    expect(unfinishedAnswer(stored)?.results).toEqual([]);
  });

  it.each<[string, Json]>([
    ['has no interrupts', whole],
    ['was between two answers', { ...whole, data: { interrupts: { activated: false, interrupts: {} } } }],
  ])('is none where the loop %s', (_name, stored) => {
    expect(unfinishedAnswer(stored)).toBeUndefined();
  });

  it.each<[string, Json]>([
    [
      'of nobody',
      execution({ assistantMessageData: { ...message, role: 'system' }, completedToolResults: {} }),
    ],
    ['without results', execution({ assistantMessageData: message })],
    ['without a message', execution({ completedToolResults: {} })],
    [
      'with a result that is none',
      execution({ assistantMessageData: message, completedToolResults: { a: { toolResult: {} } } }),
    ],
    ['outside a snapshot', { interrupts: {} }],
  ])('is refused when it is %s', (_name, stored) => {
    expect(() => unfinishedAnswer(stored)).toThrow();
  });

  it('may be an answer of either role', () => {
    const asked = { role: 'user', content: [{ text: 'hello' }] };
    const stored = execution({ assistantMessageData: asked, completedToolResults: {} });
    expect(unfinishedAnswer(stored)?.message).toEqual(asked);
  });
});

describe('waitingCalls', () => {
  const interrupt = (id: string, toolCallId: string, response?: string): Interrupt =>
    ({ id, name: id, reason: { toolCallId }, response }) as unknown as Interrupt;

  it('are the calls that nobody has answered', () => {
    const calls = [interrupt('1', 'a', 'answered'), interrupt('2', 'a'), interrupt('3', 'b')];
    expect(waitingCalls(calls, whole)).toEqual([
      { toolCallId: 'a', loopId: '2' },
      { toolCallId: 'b', loopId: '3' },
    ]);
  });

  it("are in the order of the model's answer, whichever stopped first", () => {
    const calls = ['b', 'c', 'a'].map((id) => ({ toolUse: { toolUseId: id, name: 'write', input: {} } }));
    const stored = execution({
      assistantMessageData: { role: 'assistant', content: [{ text: 'I do' }, ...calls] },
      completedToolResults: {},
    });
    const interrupts = ['a', 'b', 'c'].map((id) => interrupt(id, id));
    expect(waitingCalls(interrupts, stored).map(({ toolCallId }) => toolCallId)).toEqual(['b', 'c', 'a']);
  });

  it('are each told once, by the first interrupt', () => {
    expect(waitingCalls([interrupt('1', 'a'), interrupt('2', 'a')], whole)).toEqual([
      { toolCallId: 'a', loopId: '1' },
    ]);
  });

  it('are none where all is answered', () => {
    expect(waitingCalls([interrupt('1', 'a', 'answered')], whole)).toEqual([]);
  });

  it('cannot be told where an interrupt names no call', () => {
    expect(() => waitingCalls([{ id: '1', name: '1', reason: {} } as Interrupt], whole)).toThrow();
  });
});
