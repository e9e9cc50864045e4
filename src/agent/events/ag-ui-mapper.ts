import { EventType, type AGUIEvent } from '@ag-ui/core';
import type { RunEvent } from '../runs/index.js';
import { agUiInterrupt } from './ag-ui-interrupt.js';

type Block =
  | { readonly kind: 'text' | 'reasoning'; readonly messageId: string }
  | { readonly kind: 'tool'; readonly toolCallId: string };

/** The ids under which an AG-UI client knows a conversation and a run. */
export interface AgUiIds {
  readonly threadId: string;
  readonly runId: string;
}

/**
 * A run's events as AG-UI 1.0 events. One mapper a run: it knows which block is open. The same events become the same AG-UI
 * events every time, their ids included, so that a run can be read again.
 */
export class AgUiMapper {
  readonly #ids: AgUiIds;
  #open: Block | undefined;
  /** The answer that is streaming: its first text has this id, and its tool calls belong to it. */
  #assistantMessageId: string;
  #hasText = false;
  #messages = 0;

  constructor(ids: AgUiIds) {
    this.#ids = ids;
    this.#assistantMessageId = this.#nextId();
  }

  map(event: RunEvent): readonly AGUIEvent[] {
    const finished = { type: EventType.RUN_FINISHED, ...this.#ids } as const;
    switch (event.kind) {
      case 'started':
        return [{ type: EventType.RUN_STARTED, ...this.#ids }];
      case 'answer_started':
        this.#assistantMessageId = this.#nextId();
        this.#hasText = false;
        return this.#close();
      case 'text':
        return this.#text(event.delta);
      case 'reasoning':
        return this.#reasoning(event.delta);
      case 'tool_call_started':
        return [...this.#close(), this.#startCall(event)];
      case 'tool_call_arguments':
        return this.#callArguments(event.delta);
      case 'block_ended':
        return this.#close();
      case 'tool_result':
        return [this.#result(event)];
      case 'earlier_summarised': {
        const { kind: name, messages } = event;
        return [{ type: EventType.CUSTOM, name, value: { messages } }];
      }
      case 'notice':
        return [{ type: EventType.CUSTOM, name: 'notice', value: event.notice }];
      case 'finished':
        return [...this.#close(), { ...finished, outcome: { type: event.outcome } }];
      case 'interrupted': {
        const interrupts = event.interrupts.map(agUiInterrupt);
        return [...this.#close(), { ...finished, outcome: { type: 'interrupt', interrupts } }];
      }
      case 'failed':
        return [...this.#close(), errorEvent(event)];
    }
  }

  /** Ends the block that is open: a run may stop in the middle of one. */
  #close(): readonly AGUIEvent[] {
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

  /** Unique in the conversation, because the run's id is. */
  #nextId(): string {
    this.#messages += 1;
    return `${this.#ids.runId}-${String(this.#messages)}`;
  }

  #result({ toolCallId, content }: Extract<RunEvent, { kind: 'tool_result' }>): AGUIEvent {
    const messageId = this.#nextId();
    return { type: EventType.TOOL_CALL_RESULT, messageId, toolCallId, content, role: 'tool' };
  }

  #startCall({ toolCallId, name }: Extract<RunEvent, { kind: 'tool_call_started' }>): AGUIEvent {
    this.#open = { kind: 'tool', toolCallId };
    const parentMessageId = this.#assistantMessageId;
    return { type: EventType.TOOL_CALL_START, toolCallId, toolCallName: name, parentMessageId };
  }

  #callArguments(delta: string): readonly AGUIEvent[] {
    if (this.#open?.kind !== 'tool') return [];
    return [{ type: EventType.TOOL_CALL_ARGS, toolCallId: this.#open.toolCallId, delta }];
  }

  #text(delta: string): readonly AGUIEvent[] {
    const events: AGUIEvent[] = [];
    if (this.#open?.kind !== 'text') {
      events.push(...this.#close());
      // Text that follows another block of the same answer is a message of its own to AG-UI.
      const messageId = this.#hasText ? this.#nextId() : this.#assistantMessageId;
      this.#hasText = true;
      this.#open = { kind: 'text', messageId };
      events.push({ type: EventType.TEXT_MESSAGE_START, messageId, role: 'assistant' });
    }
    return [...events, { type: EventType.TEXT_MESSAGE_CONTENT, messageId: this.#open.messageId, delta }];
  }

  #reasoning(delta: string): readonly AGUIEvent[] {
    const events: AGUIEvent[] = [];
    if (this.#open?.kind !== 'reasoning') {
      events.push(...this.#close());
      const messageId = this.#nextId();
      this.#open = { kind: 'reasoning', messageId };
      events.push({ type: EventType.REASONING_START, messageId });
      events.push({ type: EventType.REASONING_MESSAGE_START, messageId, role: 'reasoning' });
    }
    return [...events, { type: EventType.REASONING_MESSAGE_CONTENT, messageId: this.#open.messageId, delta }];
  }
}

/** AG-UI keeps extra information in `metadata`. The request id is what a user can tell the operator. */
function errorEvent({ error, requestId }: Extract<RunEvent, { kind: 'failed' }>): AGUIEvent {
  const { code, detail: message } = error;
  return {
    type: EventType.RUN_ERROR,
    code,
    message,
    ...(requestId !== undefined && { metadata: { requestId } }),
  };
}
