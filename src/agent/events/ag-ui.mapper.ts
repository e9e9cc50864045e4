import { randomUUID } from 'node:crypto';
import { EventType, type AGUIEvent } from '@ag-ui/core';
import type { AgentStreamEvent, ModelStreamEvent } from '@strands-agents/sdk';

type Block =
  | { readonly kind: 'text' | 'reasoning'; readonly messageId: string }
  | { readonly kind: 'tool'; readonly toolCallId: string };

/** Strands' stream as AG-UI 1.0 events. One mapper a run: it knows which block is open, and mints message ids. */
export class AgUiMapper {
  #open: Block | undefined;
  /** The answer that is streaming: its first text has this id, and its tool calls belong to it. */
  #assistantMessageId = randomUUID();
  #textGiven = false;

  map(event: AgentStreamEvent): readonly AGUIEvent[] {
    switch (event.type) {
      case 'modelStreamUpdateEvent':
        return this.#mapModelEvent(event.event);
      case 'toolResultEvent': {
        const { toolUseId, content } = event.result;
        const [first] = content.map((block) => JSON.stringify('json' in block ? block.json : block));
        return [
          {
            type: EventType.TOOL_CALL_RESULT,
            messageId: randomUUID(),
            toolCallId: toolUseId,
            content: first ?? '',
            role: 'tool',
          },
        ];
      }
      case 'toolStreamUpdateEvent':
        return [{ type: EventType.CUSTOM, name: 'notice', value: event.event.data }];
      default:
        return [];
    }
  }

  /** Ends whatever is open: a run may stop in the middle of a block. */
  close(): readonly AGUIEvent[] {
    const block = this.#open;
    this.#open = undefined;
    switch (block?.kind) {
      case undefined:
        return [];
      case 'text':
        return [{ type: EventType.TEXT_MESSAGE_END, messageId: block.messageId }];
      case 'tool':
        return [{ type: EventType.TOOL_CALL_END, toolCallId: block.toolCallId }];
      case 'reasoning':
        return [
          { type: EventType.REASONING_MESSAGE_END, messageId: block.messageId },
          { type: EventType.REASONING_END, messageId: block.messageId },
        ];
    }
  }

  #mapModelEvent(event: ModelStreamEvent): readonly AGUIEvent[] {
    switch (event.type) {
      case 'modelMessageStartEvent':
        this.#assistantMessageId = randomUUID();
        this.#textGiven = false;
        return this.close();
      case 'modelContentBlockStartEvent':
        return event.start?.type === 'toolUseStart' ? [...this.close(), this.#startTool(event.start)] : [];
      case 'modelContentBlockDeltaEvent':
        return this.#mapDelta(event.delta);
      case 'modelContentBlockStopEvent':
        return this.close();
      default:
        return [];
    }
  }

  #startTool({ toolUseId, name }: { toolUseId: string; name: string }): AGUIEvent {
    this.#open = { kind: 'tool', toolCallId: toolUseId };
    return {
      type: EventType.TOOL_CALL_START,
      toolCallId: toolUseId,
      toolCallName: name,
      parentMessageId: this.#assistantMessageId,
    };
  }

  #mapDelta(
    delta: Extract<ModelStreamEvent, { type: 'modelContentBlockDeltaEvent' }>['delta'],
  ): readonly AGUIEvent[] {
    switch (delta.type) {
      case 'textDelta':
        return delta.text === '' ? [] : this.#text(delta.text);
      case 'toolUseInputDelta':
        return this.#open?.kind === 'tool' && delta.input !== ''
          ? [{ type: EventType.TOOL_CALL_ARGS, toolCallId: this.#open.toolCallId, delta: delta.input }]
          : [];
      case 'reasoningContentDelta':
        return delta.text === undefined || delta.text === '' ? [] : this.#reasoning(delta.text);
      default:
        return [];
    }
  }

  #text(text: string): readonly AGUIEvent[] {
    const events: AGUIEvent[] = [];
    if (this.#open?.kind !== 'text') {
      events.push(...this.close());
      // Text that follows another block of the same answer is a message of its own to AG-UI.
      const messageId = this.#textGiven ? randomUUID() : this.#assistantMessageId;
      this.#textGiven = true;
      this.#open = { kind: 'text', messageId };
      events.push({ type: EventType.TEXT_MESSAGE_START, messageId: this.#open.messageId, role: 'assistant' });
    }
    return [
      ...events,
      { type: EventType.TEXT_MESSAGE_CONTENT, messageId: this.#open.messageId, delta: text },
    ];
  }

  #reasoning(text: string): readonly AGUIEvent[] {
    const events: AGUIEvent[] = [];
    if (this.#open?.kind !== 'reasoning') {
      events.push(...this.close());
      const messageId = randomUUID();
      this.#open = { kind: 'reasoning', messageId };
      events.push({ type: EventType.REASONING_START, messageId });
      events.push({ type: EventType.REASONING_MESSAGE_START, messageId, role: 'reasoning' });
    }
    return [
      ...events,
      { type: EventType.REASONING_MESSAGE_CONTENT, messageId: this.#open.messageId, delta: text },
    ];
  }
}
