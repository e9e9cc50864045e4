import type { ModelStreamEvent } from '@strands-agents/sdk';
import {
  beginChild,
  errorType,
  markFailed,
  NAMES,
  telemetry,
  Work,
  workOf,
  type Attributes,
} from '../../common/telemetry/index.js';

const OPERATION = 'chat';

/** One call of the model: its span, its tokens, its times. Neither messages nor answers are kept. */
export class ModelCall {
  readonly #attributes: Attributes;
  readonly #span: ReturnType<typeof beginChild>;
  readonly #work: Work;
  readonly #startedAt = performance.now();
  #firstChunkAt: number | undefined;
  #firstTextAt: number | undefined;
  #inputTokens = 0;
  #outputTokens = 0;

  constructor(modelId: string | undefined) {
    this.#attributes = {
      [NAMES.operation]: OPERATION,
      [NAMES.provider]: 'aws.bedrock',
      ...(modelId !== undefined && { [NAMES.model]: modelId }),
    };
    const name = modelId === undefined ? OPERATION : `${OPERATION} ${modelId}`;
    this.#span = beginChild(name, { kind: 'client', attributes: this.#attributes });
    this.#work = this.#span === undefined ? new Work(Work.current?.place) : workOf(this.#span);
  }

  get inputTokens(): number {
    return this.#inputTokens;
  }

  get outputTokens(): number {
    return this.#outputTokens;
  }

  /** When its first text came, by `performance.now()`. */
  get firstTextAt(): number | undefined {
    return this.#firstTextAt;
  }

  /** The SDK sends a request again without telling; each was counted. */
  get retries(): number {
    return Math.max(0, this.#work.requests - 1);
  }

  /** The events of the answer, as they are. */
  async *heard(
    ask: () => AsyncIterable<ModelStreamEvent>,
  ): AsyncGenerator<ModelStreamEvent, void, undefined> {
    const events = this.#work.do(ask)[Symbol.asyncIterator]();
    let failure: string | undefined;
    try {
      // The request is sent, and sent again, before the first event and not after it.
      let next = await this.#work.do(() => events.next());
      while (next.done !== true) {
        this.#note(next.value);
        yield next.value;
        next = await events.next();
      }
    } catch (error) {
      failure = errorType(error);
      throw error;
    } finally {
      this.#end(failure);
      await events.return?.();
    }
  }

  #note(event: ModelStreamEvent): void {
    if (event.type === 'modelContentBlockDeltaEvent') {
      this.#firstChunkAt ??= performance.now();
      if (event.delta.type === 'textDelta' && event.delta.text !== '')
        this.#firstTextAt ??= performance.now();
    }
    if (event.type !== 'modelMetadataEvent') return;
    this.#inputTokens += event.usage?.inputTokens ?? 0;
    this.#outputTokens += event.usage?.outputTokens ?? 0;
  }

  #end(failure: string | undefined): void {
    const measured = telemetry();
    if (measured === undefined) return;
    const seconds = (until: number): number => (until - this.#startedAt) / 1000;
    const { operationDuration, timeToFirstChunk, tokenUsage } = measured.instruments;
    const failed = failure === undefined ? {} : { [NAMES.errorType]: failure };
    operationDuration.record(seconds(performance.now()), { ...this.#attributes, ...failed });
    tokenUsage.record(this.#inputTokens, { ...this.#attributes, [NAMES.tokenType]: 'input' });
    tokenUsage.record(this.#outputTokens, { ...this.#attributes, [NAMES.tokenType]: 'output' });
    const first = this.#firstChunkAt === undefined ? undefined : seconds(this.#firstChunkAt);
    if (first !== undefined) timeToFirstChunk.record(first, this.#attributes);
    if (this.#span === undefined) return;
    if (failure !== undefined) markFailed(this.#span, failure);
    this.#span
      .setAttributes({
        [NAMES.inputTokens]: this.#inputTokens,
        [NAMES.outputTokens]: this.#outputTokens,
        ...(first !== undefined && { [NAMES.timeToFirstChunk]: first }),
        ...(this.retries > 0 && { [NAMES.resendCount]: this.retries }),
      })
      .end();
  }
}
