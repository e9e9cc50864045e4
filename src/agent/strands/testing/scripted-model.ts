import {
  Model,
  ModelContentBlockDeltaEvent,
  ModelContentBlockStartEvent,
  ModelContentBlockStopEvent,
  ModelMessageStartEvent,
  ModelMessageStopEvent,
  type BaseModelConfig,
  type Message,
  type ModelStreamEvent,
} from '@strands-agents/sdk';

/** One answer of the model: a text, then calls; or the error with which it fails. */
export interface ScriptedAnswer {
  readonly text?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input?: object }[];
  readonly error?: Error;
  /** Runs before the answer begins. */
  readonly before?: () => void;
}

/** A model that gives the answers of a script, one after the other, and keeps the conversations that it was sent. */
export class ScriptedModel extends Model {
  readonly conversations: unknown[] = [];
  readonly #answers: ScriptedAnswer[];

  constructor(...answers: readonly ScriptedAnswer[]) {
    super();
    this.#answers = [...answers];
  }

  updateConfig(): void {
    // There is nothing to configure.
  }

  getConfig(): BaseModelConfig {
    return {};
  }

  async *stream(messages: Message[]): AsyncIterable<ModelStreamEvent> {
    await Promise.resolve();
    this.conversations.push(messages.map((message) => message.toJSON()));
    const { text, calls = [], error, before } = this.#answers.shift() ?? { text: 'The script has ended.' };
    before?.();
    if (error !== undefined) throw error;
    yield new ModelMessageStartEvent({ type: 'modelMessageStartEvent', role: 'assistant' });
    if (text !== undefined) yield* blockOf({ type: 'textDelta', text });
    for (const { id, name, input = {} } of calls) {
      const start = { type: 'toolUseStart', name, toolUseId: id } as const;
      yield* blockOf({ type: 'toolUseInputDelta', input: JSON.stringify(input) }, start);
    }
    const stopReason = calls.length > 0 ? 'toolUse' : 'endTurn';
    yield new ModelMessageStopEvent({ type: 'modelMessageStopEvent', stopReason });
  }
}

function* blockOf(
  delta: ModelContentBlockDeltaEvent['delta'],
  start?: ModelContentBlockStartEvent['start'],
): Generator<ModelStreamEvent> {
  const type = 'modelContentBlockStartEvent';
  yield new ModelContentBlockStartEvent(start === undefined ? { type } : { type, start });
  yield new ModelContentBlockDeltaEvent({ type: 'modelContentBlockDeltaEvent', delta });
  yield new ModelContentBlockStopEvent({ type: 'modelContentBlockStopEvent' });
}
