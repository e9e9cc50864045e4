import { EventType, type AGUIEvent, type Interrupt as AgUiInterrupt } from '@ag-ui/core';
import {
  Agent,
  contentBlockFromData,
  InterruptResponseContent,
  MessageAddedEvent,
  NullConversationManager,
  type AgentResult,
  type ContentBlockData,
  type InvokeArgs,
  type MessageData,
  type Model,
} from '@strands-agents/sdk';
import { Logger } from '@nestjs/common';
import type { Audit } from '../audit/index.js';
import { AppError, errorFields } from '../common/errors/index.js';
import type { FlowLedger, FlowTickets } from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import type { StoredMessage, Turn, TurnResult } from '../sessions/index.js';
import type { ToolRegistry } from '../tools/index.js';
import { AgUiMapper } from './events/ag-ui.mapper.js';
import { prepareHistory } from './history.js';
import type { InterruptAnswer, RunRequest } from './invocation.request.js';
import { RegistryTool, type PausedCall, type RunCalls } from './registry.tool.js';
import { asRunError } from './run-error.js';
import { recordAnswers } from './interrupt-audit.js';
import { closing, pause, unpaused, resumption } from './run-state.js';
import { SYSTEM_PROMPT } from './system-prompt.js';

export interface RunServices {
  readonly model: Model;
  readonly registry: ToolRegistry;
  readonly tickets: FlowTickets;
  readonly ledger: FlowLedger;
  readonly audit: Audit;
}

/** Model calls in one run: enough for any honest task, an end for a loop. */
const MAXIMUM_MODEL_CALLS = 12;
const LIMITS = new Set(['limitTurns', 'limitOutputTokens', 'limitTotalTokens']);

interface Plan {
  readonly agent: Agent;
  readonly args: InvokeArgs;
  readonly calls: RunCalls;
  /** What the turn adds to the conversation; grows while the run goes on. */
  readonly added: StoredMessage[];
}

/** One run: a turn of a conversation, from the user's message or answers to a terminal event. */
export class Run {
  readonly #services: RunServices;
  readonly #user: User;
  readonly #request: RunRequest;
  readonly #turn: Turn;
  readonly #signal: AbortSignal;
  readonly #logger = new Logger('Run');
  readonly #mapper = new AgUiMapper();

  constructor(services: RunServices, user: User, request: RunRequest, turn: Turn, signal: AbortSignal) {
    this.#services = services;
    this.#user = user;
    this.#request = request;
    this.#turn = turn;
    this.#signal = signal;
  }

  /** The run's events. Read them to their end: the turn is saved before the terminal event, and only then. */
  async *events(): AsyncGenerator<AGUIEvent, void, undefined> {
    const { sessionId: threadId, runId } = this.#request;
    yield { type: EventType.RUN_STARTED, threadId, runId };
    const added: StoredMessage[] = [];
    let end: AGUIEvent;
    try {
      end = this.#signal.aborted ? await this.#endUnstarted() : yield* this.#drive(this.#plan(added));
    } catch (error) {
      end = await this.#fail(added, error);
    }
    yield* this.#mapper.close();
    yield end;
  }

  /** Aborted before the model was called: the message is kept, and a paused run stays paused. */
  async #endUnstarted(): Promise<AGUIEvent> {
    const { input, sessionId: threadId, runId } = this.#request;
    const reason: unknown = this.#signal.reason;
    if (input.kind === 'resume') await this.#turn.abandon();
    else await this.#save([{ role: 'user', content: [{ text: input.text }] }], { outcome: 'cancelled' });
    if (reason instanceof AppError) return runError(reason);
    return { type: EventType.RUN_FINISHED, threadId, runId, outcome: { type: 'cancelled' } };
  }

  async *#drive(plan: Plan): AsyncGenerator<AGUIEvent, AGUIEvent, undefined> {
    const options = { cancelSignal: this.#signal, limits: { turns: MAXIMUM_MODEL_CALLS } };
    const stream = plan.agent.stream(plan.args, options);
    for (;;) {
      const { done, value } = await stream.next();
      if (done === true) return this.#settle(plan, value);
      yield* this.#mapper.map(value);
    }
  }

  /** Saves the turn, and answers the terminal event. */
  async #settle(plan: Plan, result: AgentResult): Promise<AGUIEvent> {
    const { sessionId: threadId, runId } = this.#request;
    const finished = { type: EventType.RUN_FINISHED, threadId, runId } as const;
    if (result.stopReason === 'interrupt') {
      const told = await this.#pause(plan, result);
      return { ...finished, outcome: { type: 'interrupt', interrupts: [...told] } };
    }
    if (result.stopReason === 'cancelled') {
      const reason: unknown = this.#signal.reason;
      if (reason instanceof AppError) throw reason;
      await this.#save(plan.added, { outcome: 'cancelled' });
      return { ...finished, outcome: { type: 'cancelled' } };
    }
    if (LIMITS.has(result.stopReason)) throw new AppError('run_limit', { reason: result.stopReason });
    await this.#save(plan.added, { outcome: 'success' });
    return { ...finished, outcome: { type: 'success' } };
  }

  async #pause(plan: Plan, result: AgentResult): Promise<readonly AgUiInterrupt[]> {
    const context = { calls: plan.calls, firstNumber: this.#turn.interrupts + 1 };
    const paused = pause(plan.agent, result.interrupts ?? [], context, this.#services);
    const { pending, told } = await paused.catch((error: unknown) => {
      // What was done beside the call that waits must not be forgotten.
      plan.added.push(...unpaused(plan.agent));
      throw error;
    });
    await this.#save(plan.added, { outcome: 'interrupt', pending });
    return told;
  }

  async #fail(added: readonly StoredMessage[], thrown: unknown): Promise<AGUIEvent> {
    let error = asRunError(thrown);
    try {
      await this.#save(added, { outcome: 'error' });
    } catch (unsaved) {
      error = asRunError(unsaved);
    }
    this.#logger.error({
      event: 'run_failed',
      code: error.code,
      ...(error.cause !== undefined && errorFields(error.cause)),
    });
    return runError(error);
  }

  #save(messages: readonly StoredMessage[], result: Omit<TurnResult, 'messages'>): Promise<void> {
    return this.#turn.finish({ ...result, messages });
  }

  #plan(added: StoredMessage[]): Plan {
    const { input } = this.#request;
    return input.kind === 'message'
      ? this.#planMessage(input.text, added)
      : this.#planResume(input.answers, added);
  }

  #planMessage(text: string, added: StoredMessage[]): Plan {
    const closed = this.#turn.taken === undefined ? undefined : closing(this.#turn.taken);
    const [assistant, results = []] = closed ?? [];
    const before = assistant === undefined ? this.#turn.messages : [...this.#turn.messages, assistant];
    const words: StoredMessage = { role: 'user', content: [...results, { text }] };
    const { messages, input } = prepareHistory(before, words.content);
    added.push(...(assistant === undefined ? [words] : [assistant, words]));
    const calls = this.#calls(new Map(), new Map());
    const agent = this.#agent(messages, calls);
    // Strands reports the prepared input as a new message; what the turn adds is the user's own part of it.
    let first = true;
    agent.addHook(MessageAddedEvent, ({ message }) => {
      if (!first) added.push(toStored(message.toJSON()));
      first = false;
    });
    return {
      agent,
      args: input.map((block) => contentBlockFromData(block as unknown as ContentBlockData)),
      calls,
      added,
    };
  }

  #planResume(given: readonly InterruptAnswer[], added: StoredMessage[]): Plan {
    const { taken } = this.#turn;
    if (taken === undefined) throw new AppError('interrupt_not_pending');
    const { snapshot, responses, paused, answers } = resumption(taken, given);
    const calls = this.#calls(paused, answers);
    recordAnswers(this.#services.audit, calls, taken);
    const agent = this.#agent(this.#turn.messages, calls);
    agent.addHook(MessageAddedEvent, ({ message }) => {
      added.push(toStored(message.toJSON()));
    });
    agent.loadSnapshot(snapshot);
    const args = responses.map(
      ({ interruptId, status }) => new InterruptResponseContent({ interruptId, response: { status } }),
    );
    return { agent, args, calls, added };
  }

  #calls(paused: ReadonlyMap<string, PausedCall>, answers: RunCalls['answers']): RunCalls {
    const { sessionId, runId } = this.#request;
    return {
      user: this.#user,
      sessionId,
      runId,
      paused: new Map(paused),
      answers,
      reasons: new Map(),
    };
  }

  #agent(messages: readonly StoredMessage[], calls: RunCalls): Agent {
    const { model, registry } = this.#services;
    return new Agent({
      model,
      messages: messages as unknown as MessageData[],
      systemPrompt: SYSTEM_PROMPT,
      tools: registry
        .specifications()
        .map((specification) => new RegistryTool(specification, registry, calls)),
      printer: false,
      retryStrategy: null,
      conversationManager: new NullConversationManager(),
    });
  }
}

function runError({ code, detail }: AppError): AGUIEvent {
  return { type: EventType.RUN_ERROR, code, message: detail };
}

function toStored({ role, content }: MessageData): StoredMessage {
  return JSON.parse(JSON.stringify({ role, content })) as StoredMessage;
}
