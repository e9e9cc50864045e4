import type { AgentStreamEvent, ModelStreamEvent, ToolResultBlock } from '@strands-agents/sdk';
import type { LoopEvent } from './loop-event.js';

type Delta = Extract<ModelStreamEvent, { type: 'modelContentBlockDeltaEvent' }>['delta'];

/** An event of Strands' stream as ours; undefined for what nobody needs to know. */
export function loopEventOf(event: AgentStreamEvent): LoopEvent | undefined {
  switch (event.type) {
    case 'modelStreamUpdateEvent':
      return ofModel(event.event);
    case 'toolResultEvent':
      return ofResult(event.result);
    case 'toolStreamUpdateEvent':
      return { kind: 'notice', notice: event.event.data };
    default:
      return undefined;
  }
}

function ofModel(event: ModelStreamEvent): LoopEvent | undefined {
  switch (event.type) {
    case 'modelMessageStartEvent':
      return { kind: 'answer_started' };
    case 'modelContentBlockStartEvent': {
      if (event.start?.type !== 'toolUseStart') return undefined;
      const { toolUseId: toolCallId, name } = event.start;
      return { kind: 'tool_call_started', toolCallId, name };
    }
    case 'modelContentBlockDeltaEvent':
      return ofDelta(event.delta);
    case 'modelContentBlockStopEvent':
      return { kind: 'block_ended' };
    default:
      return undefined;
  }
}

function ofDelta(delta: Delta): LoopEvent | undefined {
  switch (delta.type) {
    case 'textDelta':
      return notEmpty('text', delta.text);
    case 'toolUseInputDelta':
      return notEmpty('tool_call_arguments', delta.input);
    case 'reasoningContentDelta':
      return notEmpty('reasoning', delta.text);
    default:
      return undefined;
  }
}

function notEmpty(
  kind: 'text' | 'reasoning' | 'tool_call_arguments',
  delta: string | undefined,
): LoopEvent | undefined {
  return delta === undefined || delta === '' ? undefined : { kind, delta };
}

function ofResult({ toolUseId, content }: ToolResultBlock): LoopEvent {
  const [first] = content;
  const value = first !== undefined && 'json' in first ? first.json : first;
  return {
    kind: 'tool_result',
    toolCallId: toolUseId,
    content: JSON.stringify(value === undefined ? '' : value),
  };
}
