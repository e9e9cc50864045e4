import {
  Model,
  type BaseModelConfig,
  type Message,
  type ModelStreamEvent,
  type StopReason,
  type StreamOptions,
} from '@strands-agents/sdk';

/** A request as the model was sent it. */
export interface AskedModel {
  readonly messages: readonly unknown[];
  readonly options: StreamOptions | undefined;
}

/** An answer: its events, the error that the model throws, or a function that makes the events when they are asked for. */
export type ScriptedAnswer = readonly ModelStreamEvent[] | Error | (() => readonly ModelStreamEvent[]);

/** A model that gives one answer after the other, and the last of them again and again, for tests. */
export class ScriptedModel extends Model {
  readonly asked: AskedModel[] = [];
  readonly #answers: readonly ScriptedAnswer[];

  constructor(...answers: readonly ScriptedAnswer[]) {
    super();
    this.#answers = answers;
  }

  override updateConfig(): void {
    throw new TypeError('nobody configures a scripted model');
  }

  override getConfig(): BaseModelConfig {
    return { modelId: 'scripted' };
  }

  override async *stream(messages: Message[], options?: StreamOptions): AsyncGenerator<ModelStreamEvent> {
    const answer = this.#answers[Math.min(this.asked.length, this.#answers.length - 1)] ?? [];
    const asked = messages.map((message) => message.toJSON()).map(({ role, content }) => ({ role, content }));
    this.asked.push({ messages: asked, options });
    await Promise.resolve();
    if (answer instanceof Error) throw answer;
    yield* typeof answer === 'function' ? answer() : answer;
  }
}

/** A model that never begins to answer, for tests. */
export class SilentModel extends ScriptedModel {
  override async *stream(_messages: Message[], options?: StreamOptions): AsyncGenerator<ModelStreamEvent> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    if (options?.cancelSignal?.aborted === true) resolve(undefined);
    options?.cancelSignal?.addEventListener('abort', () => {
      resolve(undefined);
    });
    await promise;
    yield* [];
  }
}

export interface ScriptedCall {
  readonly toolUseId: string;
  readonly name: string;
  readonly input: unknown;
}

/** An answer of one block of text. */
export function text(...deltas: readonly string[]): ModelStreamEvent[] {
  return answerOf([textBlock(deltas)], 'endTurn');
}

/** An answer that calls tools. */
export function toolCalls(...calls: readonly ScriptedCall[]): ModelStreamEvent[] {
  return answerOf(calls.map(callBlock), 'toolUse');
}

export function answerOf(
  blocks: readonly (readonly ModelStreamEvent[])[],
  stopReason: StopReason,
): ModelStreamEvent[] {
  return [
    { type: 'modelMessageStartEvent', role: 'assistant' },
    ...blocks.flat(),
    { type: 'modelMessageStopEvent', stopReason },
  ];
}

/** An answer that says how many tokens it has read and written. */
export function counted(
  answer: readonly ModelStreamEvent[],
  [inputTokens, outputTokens]: readonly [number, number],
): ModelStreamEvent[] {
  const usage = { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
  return [...answer, { type: 'modelMetadataEvent', usage }];
}

export function textBlock(deltas: readonly string[]): ModelStreamEvent[] {
  return [
    { type: 'modelContentBlockStartEvent' },
    ...deltas.map((delta): ModelStreamEvent => ({
      type: 'modelContentBlockDeltaEvent',
      delta: { type: 'textDelta', text: delta },
    })),
    { type: 'modelContentBlockStopEvent' },
  ];
}

function callBlock({ toolUseId, name, input }: ScriptedCall): ModelStreamEvent[] {
  return [
    { type: 'modelContentBlockStartEvent', start: { type: 'toolUseStart', toolUseId, name } },
    {
      type: 'modelContentBlockDeltaEvent',
      delta: { type: 'toolUseInputDelta', input: JSON.stringify(input) },
    },
    { type: 'modelContentBlockStopEvent' },
  ];
}
