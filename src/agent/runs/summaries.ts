import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { errorFields } from '../../common/errors/index.js';
import type { User } from '../../identity/sign-in/index.js';
import { Conversations, type LeavingMessages } from '../../sessions/index.js';
import { Usage } from '../../usage/index.js';
import { asLoopError, MeasuredModel, MODEL, plainAnswer, type Model } from '../strands/index.js';
import { SUMMARY_PROMPT, summaryQuestion } from './summary-question.js';

/** Of a summary: about 1,500 tokens. */
const MAXIMUM_LENGTH = 6_000;
const DEADLINE_MS = 60_000;
/** A task makes at most so many at a time, so that the runs keep the capacity of the model. */
const AT_ONCE = 4;

/**
 * Summarises, in the background after a run, what the model is not to be shown any more. A summary that fails, or is lost with
 * the process, is made after the next run: until then the model is shown the messages themselves, up to a limit.
 */
@Injectable()
export class Summaries implements OnModuleDestroy {
  readonly #logger = new Logger(Summaries.name);
  readonly #conversations: Conversations;
  readonly #usage: Usage;
  readonly #model: Model;
  readonly #inProgress = new Set<string>();
  readonly #stop = new AbortController();

  constructor(conversations: Conversations, usage: Usage, @Inject(MODEL) model: Model) {
    this.#conversations = conversations;
    this.#usage = usage;
    this.#model = model;
  }

  /** A run of this conversation has ended. Does nothing where there is nothing to summarise, or no room for it. */
  async afterRun({ sub }: User, sessionId: string): Promise<void> {
    const name = JSON.stringify([sub, sessionId]);
    if (this.#inProgress.size >= AT_ONCE || this.#inProgress.has(name) || this.#stop.signal.aborted) return;
    const leaving = this.#conversations.leaving(sub, sessionId);
    if (leaving === undefined || !this.#usage.hasTokens(sub)) return;
    this.#inProgress.add(name);
    try {
      await this.#summarise(sub, sessionId, leaving);
    } finally {
      this.#inProgress.delete(name);
    }
  }

  onModuleDestroy(): void {
    this.#stop.abort();
  }

  async #summarise(sub: string, sessionId: string, leaving: LeavingMessages): Promise<void> {
    const model = new MeasuredModel(this.#model);
    const startedAt = performance.now();
    const fields = (): Readonly<Record<string, unknown>> => ({
      sessionId,
      messages: leaving.messages.length,
      durationMs: Math.round(performance.now() - startedAt),
      ...model.usage,
    });
    try {
      const text = await plainAnswer(model, {
        systemPrompt: SUMMARY_PROMPT,
        text: summaryQuestion(leaving),
        maximumLength: MAXIMUM_LENGTH,
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(DEADLINE_MS)]),
      });
      const stored = text !== '' && (await this.#conversations.summarise(sub, sessionId, text, leaving));
      this.#logger.log({ event: 'conversation_summarised', stored, ...fields() });
    } catch (error) {
      const { code, cause } = asLoopError(error);
      this.#logger.warn({
        event: 'summary_failed',
        code,
        ...fields(),
        ...(cause !== undefined && errorFields(cause)),
      });
    } finally {
      this.#usage.spend(sub, model.usage);
    }
  }
}
