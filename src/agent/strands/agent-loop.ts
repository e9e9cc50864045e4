import {
  Agent,
  InterruptResponseContent,
  MessageAddedEvent,
  NullConversationManager,
  type AgentResult,
  type InvokeArgs,
  type Model,
} from '@strands-agents/sdk';
import type { Json, StoredMessage } from '../../sessions/index.js';
import type { ToolSpecification } from '../../tools/index.js';
import type { LoopEvent } from './loop-event.js';
import { loopEventOf } from './loop-events.js';
import { LoopTool, type MakeCall } from './loop-tool.js';
import { keptBlocks, snapshotOf, storedSnapshot, waitingCalls, type WaitingCall } from './paused-loop.js';

export interface LoopOptions {
  readonly model: Model;
  readonly systemPrompt: string;
  readonly tools: readonly ToolSpecification[];
  /** Makes the calls of the model. It does not reject. */
  readonly makeCall: MakeCall;
  readonly signal: AbortSignal;
  readonly maximumModelCalls: number;
}

/** How a loop ended. What went wrong is thrown. */
export type LoopEnd =
  | { readonly kind: 'success' | 'cancelled' }
  | { readonly kind: 'limit'; readonly limit: string }
  | { readonly kind: 'paused'; readonly calls: readonly WaitingCall[] };

/** An answer to an interrupt, in the loop's own ids. */
export interface LoopAnswer {
  readonly loopId: string;
  readonly status: string;
}

const LIMITS = new Set<string>(['limitTurns', 'limitOutputTokens', 'limitTotalTokens']);

/** Strands' agent loop: model, tool calls, model, and so on, until it has answered or waits. */
export class AgentLoop {
  readonly #agent: Agent;
  readonly #arguments: InvokeArgs;
  readonly #options: LoopOptions;
  readonly #added: StoredMessage[] = [];

  private constructor(options: LoopOptions, messages: readonly StoredMessage[], args: InvokeArgs) {
    this.#options = options;
    this.#arguments = args;
    this.#agent = new Agent({
      model: options.model,
      messages: [...messages],
      systemPrompt: options.systemPrompt,
      tools: options.tools.map((tool) => new LoopTool(tool, options.makeCall)),
      printer: false,
      retryStrategy: null,
      conversationManager: new NullConversationManager(),
    });
    this.#agent.addHook(MessageAddedEvent, ({ message }) => {
      const { role, content } = message.toJSON();
      this.#added.push({ role, content: keptBlocks(content) });
    });
  }

  /** @param messages the whole conversation, the user's new message last */
  static answering(options: LoopOptions, messages: readonly StoredMessage[]): AgentLoop {
    return new AgentLoop(options, messages, []);
  }

  /** @param snapshot what `snapshot` of a loop that was paused has answered */
  static resuming(
    options: LoopOptions,
    messages: readonly StoredMessage[],
    snapshot: Json,
    answers: readonly LoopAnswer[],
  ): AgentLoop {
    const responses = answers.map(
      ({ loopId, status }) => new InterruptResponseContent({ interruptId: loopId, response: { status } }),
    );
    const loop = new AgentLoop(options, messages, responses);
    loop.#agent.loadSnapshot(snapshotOf(snapshot));
    return loop;
  }

  /** The messages that the loop has added to the conversation so far. */
  get added(): readonly StoredMessage[] {
    return this.#added;
  }

  /** The state of a loop that waits: neither a token nor a URL is in it. */
  get snapshot(): Json {
    return storedSnapshot(this.#agent.takeSnapshot({ include: ['interrupts'] }));
  }

  async *run(): AsyncGenerator<LoopEvent, LoopEnd, undefined> {
    const { signal, maximumModelCalls } = this.#options;
    const limits = { turns: maximumModelCalls };
    const stream = this.#agent.stream(this.#arguments, { cancelSignal: signal, limits });
    for (;;) {
      const { done, value } = await stream.next();
      if (done === true) return this.#endOf(value);
      const event = loopEventOf(value);
      if (event !== undefined) yield event;
    }
  }

  #endOf({ stopReason, interrupts = [] }: AgentResult): LoopEnd {
    if (stopReason === 'interrupt') return { kind: 'paused', calls: waitingCalls(interrupts, this.snapshot) };
    if (stopReason === 'cancelled') return { kind: 'cancelled' };
    return LIMITS.has(stopReason) ? { kind: 'limit', limit: stopReason } : { kind: 'success' };
  }
}
