import {
  JsonBlock,
  Tool,
  ToolResultBlock,
  ToolStreamEvent,
  type ToolContext,
  type ToolSpec,
  type ToolStreamGenerator,
} from '@strands-agents/sdk';
import type { Json } from '../../sessions/index.js';
import type { ToolSpecification } from '../../tools/index.js';

/** A call that the model has made. */
export interface LoopCall {
  readonly name: string;
  readonly toolCallId: string;
  readonly input: unknown;
  readonly signal: AbortSignal;
}

/** How a call ended, or that it waits for the user. */
export type LoopCallResult = (
  | { readonly kind: 'answered'; readonly status: 'success' | 'error'; readonly json: Json }
  /** `name` is another one for each pause of a call: Strands answers a known one at once. */
  | { readonly kind: 'paused'; readonly name: string }
) & {
  /** Information for the user, beside the answer. */
  readonly notice?: unknown;
};

export type MakeCall = (call: LoopCall) => Promise<LoopCallResult>;

/** A tool as Strands runs it. A resumed run starts a paused call over from its top. */
export class LoopTool extends Tool {
  readonly name: string;
  readonly description: string;
  readonly toolSpec: ToolSpec;
  readonly #makeCall: MakeCall;

  constructor({ name, description, inputSchema }: ToolSpecification, makeCall: MakeCall) {
    super();
    this.name = name;
    this.description = description;
    this.toolSpec = { name, description, inputSchema };
    this.#makeCall = makeCall;
  }

  async *stream(context: ToolContext): ToolStreamGenerator {
    const { toolUseId, input } = context.toolUse;
    const call = { name: this.name, toolCallId: toolUseId, input, signal: context.cancelSignal };
    const result = await this.#makeCall(call);
    if (result.notice !== undefined) yield new ToolStreamEvent({ data: result.notice });
    if (result.kind === 'paused')
      return context.interrupt<never>({ name: result.name, reason: { toolCallId: toolUseId } });
    const { status, json } = result;
    return new ToolResultBlock({ toolUseId, status, content: [new JsonBlock({ json })] });
  }
}
