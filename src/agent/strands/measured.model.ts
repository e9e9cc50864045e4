import {
  Model,
  type BaseModelConfig,
  type Message,
  type ModelStreamEvent,
  type StreamOptions,
} from '@strands-agents/sdk';
import { ModelCall } from './model-call.js';

/** The tokens that the model has read and written. An answer that was cut off does not say how many. */
export interface ModelTokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The calls of the model in a run so far. */
export interface ModelUsage extends ModelTokens {
  readonly modelCalls: number;
  /** Requests that were sent again within these calls. */
  readonly retries: number;
  /** From the start of the run; absent if there was no text. */
  readonly timeToFirstTextMs?: number;
}

/** The model of one run: counts and traces its calls. */
export class MeasuredModel extends Model {
  readonly #model: Model;
  readonly #startedAt = performance.now();
  readonly #calls: ModelCall[] = [];

  constructor(model: Model) {
    super();
    this.#model = model;
  }

  get usage(): ModelUsage {
    const sum = (of: (call: ModelCall) => number): number =>
      this.#calls.reduce((total, call) => total + of(call), 0);
    const firstTextAt = this.#calls.find((call) => call.firstTextAt !== undefined)?.firstTextAt;
    return {
      modelCalls: this.#calls.length,
      retries: sum(({ retries }) => retries),
      inputTokens: sum(({ inputTokens }) => inputTokens),
      outputTokens: sum(({ outputTokens }) => outputTokens),
      ...(firstTextAt !== undefined && { timeToFirstTextMs: Math.round(firstTextAt - this.#startedAt) }),
    };
  }

  override get stateful(): boolean {
    return this.#model.stateful;
  }

  override updateConfig(config: BaseModelConfig): void {
    this.#model.updateConfig(config);
  }

  override getConfig(): BaseModelConfig {
    return this.#model.getConfig();
  }

  override stream(messages: Message[], options?: StreamOptions): AsyncIterable<ModelStreamEvent> {
    const call = new ModelCall(this.#model.modelId);
    this.#calls.push(call);
    return call.heard(() => this.#model.stream(messages, options));
  }
}
