import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Message, ModelStreamEvent } from '@strands-agents/sdk';
import { Work, workOf, beginSpan } from '../../common/telemetry/index.js';
import {
  recordedTelemetry,
  type RecordedTelemetry,
} from '../../common/telemetry/testing/recorded-telemetry.js';
import { MeasuredModel } from './measured.model.js';
import { ScriptedModel, text, toolCalls } from './testing/scripted-model.js';

const SECRET = 'SECRET';
const USAGE: ModelStreamEvent = {
  type: 'modelMetadataEvent',
  usage: { inputTokens: 30, outputTokens: 7, totalTokens: 37 },
};
const ATTRIBUTES = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'aws.bedrock',
  'gen_ai.request.model': 'scripted',
};

describe('MeasuredModel', () => {
  let recorded: RecordedTelemetry;

  beforeEach(() => {
    recorded = recordedTelemetry();
  });
  afterEach(() => recorded.stop());

  const read = async (model: MeasuredModel): Promise<readonly ModelStreamEvent[]> => {
    const events: ModelStreamEvent[] = [];
    for await (const event of model.stream([{ content: [], toJSON: () => ({}) } as unknown as Message]))
      events.push(event);
    return events;
  };
  const inSpan = <T>(work: () => T): T => {
    const span = beginSpan('run', { attributes: {} }, new Work(undefined));
    if (span === undefined) throw new Error('not recorded');
    return workOf(span).do(work);
  };

  it('counts calls and tokens, passes the events on, and keeps no text', async () => {
    const answers = [
      [...toolCalls({ toolUseId: SECRET, name: SECRET, input: SECRET }), USAGE],
      [...text(SECRET), USAGE],
    ];
    const model = new MeasuredModel(new ScriptedModel(...answers));
    expect(model.usage).toEqual({ modelCalls: 0, retries: 0, inputTokens: 0, outputTokens: 0 });
    await inSpan(async () => {
      for (const answer of answers) expect(await read(model)).toEqual(answer);
    });
    expect(model.usage).toEqual({
      modelCalls: 2,
      retries: 0,
      inputTokens: 60,
      outputTokens: 14,
      timeToFirstTextMs: expect.any(Number),
    });
    expect(recorded.spans()).toHaveLength(2);
    expect(recorded.spans()[0]).toMatchObject({
      name: 'chat scripted',
      failed: false,
      attributes: { ...ATTRIBUTES, 'gen_ai.usage.input_tokens': 30, 'gen_ai.usage.output_tokens': 7 },
    });
    expect(await recorded.measured('gen_ai.client.token.usage')).toEqual([
      { ...ATTRIBUTES, 'gen_ai.token.type': 'input' },
      { ...ATTRIBUTES, 'gen_ai.token.type': 'output' },
    ]);
    expect(await recorded.measured('gen_ai.client.operation.duration')).toEqual([ATTRIBUTES]);
    expect(JSON.stringify(recorded.spans())).not.toContain(SECRET);
  });

  it('counts the requests of a call that were sent again', async () => {
    const model = new MeasuredModel(
      new ScriptedModel(() => {
        for (let attempt = 1; attempt <= 3; attempt += 1) Work.current?.countRequest();
        return text('hello');
      }),
    );
    await inSpan(() => read(model));
    expect(model.usage.retries).toBe(2);
    expect(recorded.spans()[0]?.attributes).toMatchObject({ 'http.request.resend_count': 2 });
  });

  it('counts them also if nothing is recorded', async () => {
    await recorded.stop();
    const model = new MeasuredModel(
      new ScriptedModel(() => {
        for (let attempt = 1; attempt <= 3; attempt += 1) Work.current?.countRequest();
        return [...text('hello'), USAGE];
      }),
    );
    await read(model);
    expect(model.usage).toMatchObject({ modelCalls: 1, retries: 2, inputTokens: 30, outputTokens: 7 });
  });

  it('marks a call that fails with the name of the error', async () => {
    const model = new MeasuredModel(new ScriptedModel(new RangeError(SECRET)));
    await expect(inSpan(() => read(model))).rejects.toThrow(SECRET);
    expect(recorded.spans()).toMatchObject([{ failed: true, attributes: { 'error.type': 'RangeError' } }]);
    expect(JSON.stringify(recorded.spans())).not.toContain(SECRET);
  });

  it('ends its span when the answer is not read to its end', async () => {
    const model = new MeasuredModel(new ScriptedModel(text('a', 'b', 'c')));
    await inSpan(async () => {
      for await (const event of model.stream([])) if (event.type === 'modelContentBlockDeltaEvent') break;
    });
    expect(recorded.spans()).toHaveLength(1);
  });

  it('is configured as the model is', () => {
    const scripted = new ScriptedModel();
    const model = new MeasuredModel(scripted);
    expect([model.modelId, model.stateful]).toEqual(['scripted', false]);
    expect(() => {
      model.updateConfig({});
    }).toThrow(TypeError);
  });
});
