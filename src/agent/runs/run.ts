import { Logger } from '@nestjs/common';
import { requestContext } from '../../common/context/index.js';
import { AppError, errorFields } from '../../common/errors/index.js';
import type {
  ContentBlock,
  Json,
  PendingRun,
  StoredMessage,
  Turn,
  TurnResult,
} from '../../sessions/index.js';
import type { RunContext, ToolRegistry } from '../../tools/index.js';
import {
  PausedCalls,
  type InterruptAnswer,
  type Interrupts,
  type PresentedInterrupt,
} from '../interrupts/index.js';
import {
  AgentLoop,
  asLoopError,
  unfinishedAnswer,
  type LoopEnd,
  type LoopEvent,
  type LoopOptions,
  type Model,
  type WaitingCall,
} from '../strands/index.js';
import { mergeNeighbours, prepareHistory, resultsFor } from './history.js';
import { RunCalls } from './run-calls.js';
import type { RunEnd, RunEvent } from './run-event.js';
import type { RunInput } from './run-request.js';
import { storedRunEvent } from './stored-run-events.js';
import { earlierAsData, SYSTEM_PROMPT } from './system-prompt.js';

export interface RunServices {
  readonly model: Model;
  readonly registry: ToolRegistry;
  readonly interrupts: Interrupts;
  /** How often a run may call the model. */
  readonly modelCalls: number;
}

const NOT_ASKED = (): string => 'The user could not be asked, so this was not done.';
const NOT_ALLOWED = (): string => 'The user went on without allowing this.';
const CUT_OFF = 'The run was cut off before this was begun, so it was not done.';
const OUTCOME_UNKNOWN =
  'This was begun, and the run was cut off before its outcome was known. It may have been done: check before you try again.';

/** A run that was set up: the loop, the calls that it pauses, and the messages that the turn adds ahead of the loop's. */
interface Plan {
  readonly loop: AgentLoop;
  readonly paused: PausedCalls;
  readonly ahead: readonly StoredMessage[];
}

/** How a run ends, and how its turn does. A turn that has done nothing is abandoned. */
interface Ending {
  readonly end: RunEnd;
  readonly turn: TurnResult | 'abandoned';
}

/** One run: a turn of a conversation, from the user's message or answers to its end. */
export class Run {
  readonly #logger = new Logger(Run.name);
  readonly #services: RunServices;
  readonly #context: RunContext;
  readonly #input: RunInput;
  readonly #turn: Turn;
  readonly #signal: AbortSignal;
  readonly #events: Json[] = [];
  /** The text of the latest answer, and how many messages the loop had added before it. */
  #half = { text: '', after: 0 };

  constructor(
    services: RunServices,
    context: RunContext,
    { input, turn, signal }: { readonly input: RunInput; readonly turn: Turn; readonly signal: AbortSignal },
  ) {
    this.#services = services;
    this.#context = context;
    this.#input = input;
    this.#turn = turn;
    this.#signal = signal;
  }

  /**
   * The run's events. Read them to their end: the turn is saved before the last event, and only then. The model is asked
   * while the turn's claim may still be on its way; show nothing before it holds.
   */
  async *events(): AsyncGenerator<RunEvent, void, undefined> {
    yield this.#told({ kind: 'started' });
    const { earlier, claim } = this.#turn;
    if (earlier?.since === claim.seq)
      yield this.#told({ kind: 'earlier_summarised', messages: earlier.messages });
    const ending = this.#signal.aborted ? this.#unstarted() : yield* this.#drive();
    yield await this.#saved(ending);
  }

  /** Keeps what is told, because it is stored with the turn. */
  #told<Event extends RunEvent>(event: Event): Event {
    this.#events.push(storedRunEvent(event));
    return event;
  }

  async *#drive(): AsyncGenerator<LoopEvent, Ending, undefined> {
    let plan: Plan | undefined;
    try {
      plan = this.#plan();
      return await this.#ending(plan, yield* this.#heard(plan.loop));
    } catch (error) {
      const messages = plan === undefined ? this.#userMessages() : this.#withHalfAnswer(plan);
      return failure(messages, asLoopError(error, this.#services.model));
    }
  }

  /** The loop's events, with an ear for the answer that is not complete yet. */
  async *#heard(loop: AgentLoop): ReturnType<AgentLoop['run']> {
    const events = loop.run();
    for (;;) {
      const { done, value } = await events.next();
      if (done === true) return value;
      if (value.kind === 'answer_started') this.#half = { text: '', after: loop.added.length };
      if (value.kind === 'text') this.#half.text += value.delta;
      yield this.#told(value);
    }
  }

  /** The text of an answer that broke off is kept: its user has read it. Its calls were not made. */
  #withHalfAnswer(plan: Plan): readonly StoredMessage[] {
    const { text, after } = this.#half;
    const messages = addedBy(plan);
    const isComplete = plan.loop.added.length > after;
    return isComplete || text === '' ? messages : [...messages, { role: 'assistant', content: [{ text }] }];
  }

  /** Aborted before the model was called: the message is kept, and a paused run stays paused. */
  #unstarted(): Ending {
    const turn: Ending['turn'] =
      this.#input.kind === 'resume' ? 'abandoned' : { outcome: 'cancelled', messages: this.#userMessages() };
    return { end: this.#abortedEnd(), turn };
  }

  async #ending(plan: Plan, loopEnd: LoopEnd): Promise<Ending> {
    const messages = this.#withHalfAnswer(plan);
    switch (loopEnd.kind) {
      case 'paused':
        return this.#paused(plan, loopEnd.calls);
      case 'limit':
        throw new AppError('run_limit', {
          reason: loopEnd.limit,
          detail: `The run was ended after ${String(this.#services.modelCalls)} calls of the model. Ask for one thing at a time.`,
        });
      case 'cancelled':
        return this.#aborted(messages);
      case 'success':
        return { end: { kind: 'finished', outcome: 'success' }, turn: { outcome: 'success', messages } };
    }
  }

  #aborted(messages: readonly StoredMessage[]): Ending {
    const end = this.#abortedEnd();
    return { end, turn: { outcome: end.kind === 'failed' ? 'error' : 'cancelled', messages } };
  }

  /** A run is aborted with the error that ends it; without one, because its client has left. */
  #abortedEnd(): RunEnd {
    const cause: unknown = this.#signal.reason;
    return cause instanceof AppError
      ? { kind: 'failed', error: cause }
      : { kind: 'finished', outcome: 'cancelled' };
  }

  async #paused(plan: Plan, calls: readonly WaitingCall[]): Promise<Ending> {
    const messages = addedBy(plan);
    const { snapshot } = plan.loop;
    try {
      const interrupts = await this.#present(plan.paused, calls);
      const pending = { interrupts: interrupts.map(({ stored }) => stored), snapshot, resumable: true };
      return { end: { kind: 'interrupted', interrupts }, turn: { outcome: 'interrupt', messages, pending } };
    } catch (error) {
      // The results of the calls beside those that wait must not be forgotten.
      const [answer, results = []] = closedAnswer(snapshot, NOT_ASKED);
      const unfinished = answer === undefined ? [] : [answer, userMessage(results)];
      const all = [...messages, ...unfinished];
      return this.#signal.aborted ? this.#aborted(all) : failure(all, error);
    }
  }

  async #present(paused: PausedCalls, calls: readonly WaitingCall[]): Promise<readonly PresentedInterrupt[]> {
    const presented: PresentedInterrupt[] = [];
    for (const { toolCallId, loopId } of calls) {
      const raised = paused.raised(toolCallId);
      if (raised === undefined) continue;
      const number = this.#turn.interrupts + presented.length + 1;
      const place = { number, loopId };
      presented.push(await this.#services.interrupts.present(this.#context, raised, place, this.#signal));
    }
    return presented;
  }

  async #saved({ end, turn }: Ending): Promise<RunEnd> {
    const refused = await this.#turn.claimed.then(
      () => undefined,
      (error: unknown) => asLoopError(error),
    );
    // The caller that began the turn answers this.
    if (refused !== undefined) return { kind: 'failed', error: refused };
    let ended = inRequest(end);
    try {
      if (turn === 'abandoned') await this.#turn.abandon();
      else await this.#turn.finish({ ...turn, events: [...this.#events, storedRunEvent(ended)] });
    } catch (error) {
      ended = inRequest({ kind: 'failed', error: asLoopError(error) });
    }
    if (ended.kind === 'failed') {
      const { code, cause } = ended.error;
      this.#logger.error({ event: 'run_failed', code, ...(cause !== undefined && errorFields(cause)) });
    }
    return ended;
  }

  #plan(): Plan {
    return this.#input.kind === 'message'
      ? this.#planMessage(this.#input.text)
      : this.#planResume(this.#input.answers);
  }

  /** A message closes the run that was paused: its answer is kept, with an error for each call that still waited. */
  #planMessage(text: string): Plan {
    const { messages, pending } = this.#turn;
    const [answer, results = []] =
      pending === undefined ? [] : closedAnswer(pending.snapshot, whyNotDone(pending));
    const closed = answer === undefined ? [] : [answer];
    const message = userMessage([...results, { text }]);
    const paused = new PausedCalls();
    const before = [...this.#earlier(), ...withoutRepeated(messages, text), ...closed];
    const history = prepareHistory(before, message.content);
    return {
      loop: AgentLoop.answering(this.#loopOptions(paused), history),
      paused,
      ahead: [...closed, message],
    };
  }

  #planResume(answers: readonly InterruptAnswer[]): Plan {
    const { messages, pending } = this.#turn;
    if (pending === undefined) throw new AppError('interrupt_not_pending');
    const answered = this.#services.interrupts.match(this.#context, pending, answers);
    const paused = new PausedCalls(answered);
    const loopAnswers = answered.map(({ stored, answer }) => ({
      loopId: stored.loopId,
      status: answer.status,
    }));
    const options = this.#loopOptions(paused);
    const history = mergeNeighbours([...this.#earlier(), ...messages]);
    const loop = AgentLoop.resuming(options, history, pending.snapshot, loopAnswers);
    return { loop, paused, ahead: [] };
  }

  #loopOptions(paused: PausedCalls): LoopOptions {
    const { model, registry, modelCalls } = this.#services;
    const calls = new RunCalls(registry, this.#context, { paused, turn: this.#turn });
    return {
      model,
      systemPrompt: SYSTEM_PROMPT,
      tools: registry.specifications(),
      makeCall: (call) => calls.make(call),
      signal: this.#signal,
      maximumModelCalls: modelCalls,
    };
  }

  /** What the model is told of the messages that it is not shown any more. */
  #earlier(): readonly StoredMessage[] {
    const { earlier } = this.#turn;
    return earlier === undefined ? [] : [userMessage([{ text: earlierAsData(earlier.text) }])];
  }

  #userMessages(): readonly StoredMessage[] {
    return this.#input.kind === 'message' ? [userMessage([{ text: this.#input.text }])] : [];
  }
}

/** Without a message that is sent again because it got no answer: the model is shown it once. */
function withoutRepeated(messages: readonly StoredMessage[], text: string): readonly StoredMessage[] {
  const last = messages.at(-1);
  const [block] = last?.content ?? [];
  const isRepeated =
    last?.content.length === 1 && block !== undefined && 'text' in block && block.text === text;
  return isRepeated && last.role === 'user' ? messages.slice(0, -1) : messages;
}

/** A failure with the id of the request that began the run: later requests read the same. */
function inRequest(end: RunEnd): RunEnd {
  const requestId = requestContext()?.requestId;
  return end.kind === 'failed' && requestId !== undefined ? { ...end, requestId } : end;
}

function addedBy({ ahead, loop }: Plan): readonly StoredMessage[] {
  return [...ahead, ...loop.added];
}

function failure(messages: readonly StoredMessage[], thrown: unknown): Ending {
  return { end: { kind: 'failed', error: asLoopError(thrown) }, turn: { outcome: 'error', messages } };
}

/** The answer that a paused loop holds, and a result for each of its calls: an error where there is none. */
function closedAnswer(
  snapshot: Json,
  why: (toolCallId: string) => string,
): readonly [] | readonly [StoredMessage, readonly ContentBlock[]] {
  const unfinished = unfinishedAnswer(snapshot);
  if (unfinished === undefined) return [];
  return [unfinished.message, resultsFor(unfinished.message, unfinished.results, why)];
}

/** What is known of the calls that wait when their run is closed. */
function whyNotDone({ resumable, begun }: PendingRun): (toolCallId: string) => string {
  if (resumable) return NOT_ALLOWED;
  return (toolCallId) => (begun?.includes(toolCallId) === false ? CUT_OFF : OUTCOME_UNKNOWN);
}

function userMessage(content: readonly ContentBlock[]): StoredMessage {
  return { role: 'user', content: [...content] };
}
