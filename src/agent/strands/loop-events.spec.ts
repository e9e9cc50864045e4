import { describe, expect, it } from '@jest/globals';
import {
  JsonBlock,
  TextBlock,
  ToolResultBlock,
  type AgentStreamEvent,
  type ModelStreamEvent,
} from '@strands-agents/sdk';
import type { LoopEvent } from './loop-event.js';
import { loopEventOf } from './loop-events.js';

const ofModel = (event: ModelStreamEvent): AgentStreamEvent =>
  ({ type: 'modelStreamUpdateEvent', event }) as AgentStreamEvent;
const ofDelta = (delta: object): AgentStreamEvent =>
  ofModel({ type: 'modelContentBlockDeltaEvent', delta } as ModelStreamEvent);
const ofResult = (content: ToolResultBlock['content']): AgentStreamEvent => {
  const result = new ToolResultBlock({ toolUseId: 'a', status: 'success', content });
  return { type: 'toolResultEvent', result } as AgentStreamEvent;
};
const result = (content: string): LoopEvent => ({ kind: 'tool_result', toolCallId: 'a', content });

describe("an event of Strands' stream", () => {
  it.each<[string, AgentStreamEvent, LoopEvent]>([
    [
      'the start of an answer',
      ofModel({ type: 'modelMessageStartEvent', role: 'assistant' }),
      { kind: 'answer_started' },
    ],
    [
      'the start of a call',
      ofModel({
        type: 'modelContentBlockStartEvent',
        start: { type: 'toolUseStart', toolUseId: 'a', name: 'read' },
      }),
      { kind: 'tool_call_started', toolCallId: 'a', name: 'read' },
    ],
    ['text', ofDelta({ type: 'textDelta', text: ' he' }), { kind: 'text', delta: ' he' }],
    [
      'arguments of a call',
      ofDelta({ type: 'toolUseInputDelta', input: '{"a"' }),
      { kind: 'tool_call_arguments', delta: '{"a"' },
    ],
    ['reasoning', ofDelta({ type: 'reasoningContentDelta', text: 'hm' }), { kind: 'reasoning', delta: 'hm' }],
    ['the end of a block', ofModel({ type: 'modelContentBlockStopEvent' }), { kind: 'block_ended' }],
    [
      "a tool's progress",
      { type: 'toolStreamUpdateEvent', event: { data: { wide: true } } } as AgentStreamEvent,
      { kind: 'notice', notice: { wide: true } },
    ],
    ['a result in JSON', ofResult([new JsonBlock({ json: { a: [1] } })]), result('{"a":[1]}')],
    ['a result that is false', ofResult([new JsonBlock({ json: false })]), result('false')],
    ['a result that is null', ofResult([new JsonBlock({ json: null })]), result('null')],
    ['a result in text', ofResult([new TextBlock('Failed')]), result('{"text":"Failed"}')],
    ['a result without content', ofResult([]), result('""')],
  ])('tells of %s', (_name, event, expected) => {
    expect(loopEventOf(event)).toEqual(expected);
  });

  it.each<[string, AgentStreamEvent]>([
    ['the start of a block that is no call', ofModel({ type: 'modelContentBlockStartEvent' })],
    [
      'the start of a block of another kind',
      ofModel({
        type: 'modelContentBlockStartEvent',
        start: { type: 'other', toolUseId: 'a', name: 'b' },
      } as unknown as ModelStreamEvent),
    ],
    ['empty text', ofDelta({ type: 'textDelta', text: '' })],
    ['empty arguments', ofDelta({ type: 'toolUseInputDelta', input: '' })],
    ['empty reasoning', ofDelta({ type: 'reasoningContentDelta', text: '' })],
    ['a signature', ofDelta({ type: 'reasoningContentDelta', signature: 'x' })],
    ['citations', ofDelta({ type: 'citationsDelta', citations: [], content: [] })],
    ['the end of an answer', ofModel({ type: 'modelMessageStopEvent', stopReason: 'endTurn' })],
    ['usage', ofModel({ type: 'modelMetadataEvent' })],
    ['a stage of the loop', { type: 'beforeInvocationEvent' } as AgentStreamEvent],
  ])('says nothing of %s', (_name, event) => {
    expect(loopEventOf(event)).toBeUndefined();
  });
});
