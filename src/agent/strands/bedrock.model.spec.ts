import type { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { Message, type BedrockModel, type ModelStreamEvent } from '@strands-agents/sdk';
import { openCircuit } from '../../common/circuit/testing/open-circuit.js';
import { timeoutsOf } from '../../common/testing/request-handler.js';
import { bedrockModel } from './bedrock.model.js';

/** A chunk of Bedrock's ConverseStream. */
type Chunk = Readonly<Record<string, object>>;

const textDelta = (text: string): Chunk => ({ contentBlockDelta: { delta: { text } } });
const callStart = (toolUseId: string): Chunk => ({
  contentBlockStart: { start: { toolUse: { toolUseId, name: 'read' } } },
});
const callDelta = (input: string): Chunk => ({ contentBlockDelta: { delta: { toolUse: { input } } } });
const start: Chunk = { messageStart: { role: 'assistant' } };
const blockStart: Chunk = { contentBlockStart: {} };
const stop: Chunk = { contentBlockStop: {} };
const end: Chunk = { messageStop: { stopReason: 'end_turn' } };
const pause = (ms: number): Chunk => ({ pause: { ms } });
const FIRST_BYTE_MS = 200;
const IDLE_MS = 60;
const hello = Message.fromMessageData({ role: 'user', content: [{ text: 'hello' }] });
const calling = (...ids: readonly string[]): Message =>
  Message.fromMessageData({
    role: 'assistant',
    content: [
      { text: 'well' },
      ...ids.map((toolUseId) => ({ toolUse: { toolUseId, name: 'read', input: {} } })),
    ],
  });

function clientOf(model: BedrockModel): BedrockRuntimeClient {
  return Reflect.get(model, '_client') as BedrockRuntimeClient;
}

/** Answers a request in Bedrock's place, and tells what it was asked. */
function answering(model: BedrockModel, chunks: readonly Chunk[]): readonly unknown[] {
  const inputs: unknown[] = [];
  clientOf(model).middlewareStack.add(
    () => (request) => {
      inputs.push(request.input);
      const output = {
        stream: (async function* () {
          await Promise.resolve();
          for (const chunk of chunks) {
            if ('silence' in chunk) await new Promise(() => undefined);
            if (chunk.pause !== undefined) await delay(Reflect.get(chunk.pause, 'ms') as number);
            else yield chunk;
          }
        })(),
        $metadata: {},
      };
      return Promise.resolve({ output, response: {} });
    },
    { step: 'initialize', priority: 'high' },
  );
  return inputs;
}

describe('bedrockModel', () => {
  const made = (): BedrockModel =>
    bedrockModel({
      region: 'eu-west-1',
      id: 'a-model',
      firstByteMs: FIRST_BYTE_MS,
      idleMs: IDLE_MS,
      answerTokens: 2_000,
    });

  /** The events until the end, or until the model throws. */
  const streamed = async (
    chunks: readonly Chunk[],
    messages: Message[] = [hello],
  ): Promise<{ readonly events: readonly ModelStreamEvent[]; readonly thrown: unknown }> => {
    const model = made();
    answering(model, chunks);
    const events: ModelStreamEvent[] = [];
    try {
      for await (const event of model.stream(messages)) events.push(event);
    } catch (thrown) {
      return { events, thrown };
    }
    return { events, thrown: undefined };
  };
  const typesOf = (events: readonly ModelStreamEvent[]): readonly string[] =>
    events.map(({ type }) => type.replace(/^model|Event$/g, ''));

  it('asks for the configured model, and for an answer of limited length', async () => {
    const model = made();
    const inputs = answering(model, [start, end]);
    for await (const event of model.stream([hello])) expect(event).toBeDefined();
    expect(inputs).toMatchObject([{ modelId: 'a-model', inferenceConfig: { maxTokens: 2_000 } }]);
  });

  it('asks in the configured region, three times at most', async () => {
    const { config } = clientOf(made());
    expect(await config.region()).toBe('eu-west-1');
    expect(await config.maxAttempts()).toBe(3);
  });

  it('connects within a limited time', async () => {
    const { requestHandler } = clientOf(made()).config;
    expect(await timeoutsOf(requestHandler)).toMatchObject({ connectionTimeout: 3_000 });
  });

  const silent: Chunk = { silence: {} };
  it.each([
    ['sends nothing', [silent], 'no_first_byte', []],
    ['thinks for too long', [start, silent], 'no_first_byte', []],
    [
      'stops in the middle of an answer',
      [start, textDelta('a'), silent],
      'silent',
      ['MessageStart', 'ContentBlockStart', 'ContentBlockDelta'],
    ],
  ])('gives up a model that %s', async (_name, chunks, reason, types) => {
    const { events, thrown } = await streamed(chunks);
    expect(thrown).toMatchObject({ code: 'model_unavailable', reason, cause: { name: 'DeadlineError' } });
    expect(typesOf(events)).toEqual(types);
  });

  it('fails at once while Bedrock is down', async () => {
    const model = made();
    const inputs = answering(model, [start, silent]);
    const ask = () => model.stream([hello])[Symbol.asyncIterator]().next();
    await openCircuit(ask);
    await expect(ask()).rejects.toMatchObject({
      code: 'model_unavailable',
      reason: 'circuit_open',
      cause: { name: 'CircuitOpenError' },
    });
    expect(inputs).toHaveLength(5);
  });

  it('lets a model think for longer than it may be silent later', async () => {
    const { thrown } = await streamed([start, pause(FIRST_BYTE_MS * 0.6), textDelta('a'), stop, end]);
    expect(thrown).toBeUndefined();
  });

  it('takes no time for silence in which nobody asks for the next event', async () => {
    const model = made();
    answering(model, [start, textDelta('a'), stop, end]);
    for await (const event of model.stream([hello])) {
      if (event.type === 'modelContentBlockStartEvent') await delay(IDLE_MS * 2);
    }
  });

  it.each<[string, AbortController | undefined]>([
    ['with', new AbortController()],
    ['without', undefined],
  ])('ends its request when it gives up, %s a signal of the caller', async (_name, caller) => {
    const model = made();
    answering(model, [silent]);
    const send = jest.spyOn(clientOf(model), 'send');
    const stream = model.stream([hello], caller === undefined ? {} : { cancelSignal: caller.signal });
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ reason: 'no_first_byte' });
    const given = (send.mock.calls[0]?.[1] as { abortSignal?: AbortSignal } | undefined)?.abortSignal;
    expect(given?.aborted).toBe(true);
    expect(caller?.signal.aborted ?? false).toBe(false);
  });

  it('ends its request when the caller aborts', async () => {
    const model = made();
    answering(model, [start, end]);
    const caller = new AbortController();
    const send = jest.spyOn(clientOf(model), 'send');
    const events = model.stream([hello], { cancelSignal: caller.signal })[Symbol.asyncIterator]();
    await events.next();
    const { abortSignal } = send.mock.calls[0]?.[1] as { abortSignal: AbortSignal };
    expect(abortSignal.aborted).toBe(false);
    caller.abort();
    expect(abortSignal.aborted).toBe(true);
  });

  it.each([
    ['https:', 'httpsAgent'],
    ['http:', 'httpAgent'],
  ] as const)('keeps its connections over %s, and counts none of them', async (protocol, agent) => {
    const handler = clientOf(made()).config.requestHandler as NodeHttpHandler;
    // The handler settles its options at its first request, so it gets one that is over already.
    const request = { protocol, headers: {} } as Parameters<NodeHttpHandler['handle']>[0];
    await handler.handle(request, { abortSignal: AbortSignal.abort() }).catch(() => undefined);
    expect(handler.httpHandlerConfigs()[agent]).toMatchObject({
      keepAlive: true,
      maxSockets: Number.POSITIVE_INFINITY,
    });
  });

  it('gives every block of text its start', async () => {
    const { events } = await streamed([
      start,
      textDelta('a'),
      textDelta('b'),
      stop,
      textDelta('c'),
      stop,
      end,
    ]);
    expect(typesOf(events)).toEqual([
      'MessageStart',
      'ContentBlockStart',
      'ContentBlockDelta',
      'ContentBlockDelta',
      'ContentBlockStop',
      'ContentBlockStart',
      'ContentBlockDelta',
      'ContentBlockStop',
      'MessageStop',
    ]);
    expect(events[1]).toEqual({ type: 'modelContentBlockStartEvent' });
  });

  it.each<[string, Chunk, Chunk]>([
    ['a call', callStart('a'), callDelta('{}')],
    ['a block that Bedrock starts itself', blockStart, textDelta('a')],
  ])('gives %s no second start', async (_name, first, delta) => {
    const { events } = await streamed([start, first, delta, stop, end]);
    expect(typesOf(events)).toEqual([
      'MessageStart',
      'ContentBlockStart',
      'ContentBlockDelta',
      'ContentBlockStop',
      'MessageStop',
    ]);
  });

  it('gives text after a call its start', async () => {
    const { events } = await streamed([start, callStart('a'), stop, textDelta('b'), stop, end]);
    expect(typesOf(events).filter((type) => type === 'ContentBlockStart')).toHaveLength(2);
  });

  it.each<[string, readonly Message[], readonly Chunk[]]>([
    ['of the conversation', [hello, calling('x', 'a'), hello], [callStart('a')]],
    ['of the same answer', [hello], [callStart('a'), callDelta('{}'), stop, callStart('a')]],
  ])(
    'refuses a call that has the id of another one %s, before it begins',
    async (_name, messages, chunks) => {
      const { events, thrown } = await streamed(
        [start, ...chunks, callDelta('{}'), stop, end],
        [...messages],
      );
      expect(thrown).toMatchObject({ code: 'model_invalid', reason: 'tool_use_id_repeated' });
      const started = events.filter((event) => event.type === 'modelContentBlockStartEvent');
      expect(started).toHaveLength(chunks.length === 1 ? 0 : 1);
    },
  );

  it('takes a call whose id is new', async () => {
    const { events, thrown } = await streamed(
      [start, callStart('b'), stop, callStart('c'), stop, end],
      [hello, calling('a'), hello],
    );
    expect(thrown).toBeUndefined();
    expect(events).toContainEqual({
      type: 'modelContentBlockStartEvent',
      start: { type: 'toolUseStart', toolUseId: 'c', name: 'read' },
    });
  });
});
