import {
  BedrockModel,
  ModelContentBlockStartEvent,
  type BedrockModelOptions,
  type Message,
  type ModelStreamEvent,
  type StreamOptions,
} from '@strands-agents/sdk';
import { TracedRequestHandler } from '../../common/aws/index.js';
import { Circuit, CircuitOpenError } from '../../common/circuit/index.js';
import { DeadlineError, withDeadline } from '../../common/deadline/index.js';
import { AppError } from '../../common/errors/index.js';
import type { ModelConfig } from '../../config/index.js';

const CONNECT_TIMEOUT_MS = 3_000;

/** How long the model may think, and be silent in the middle of an answer; milliseconds. */
type Patience = Pick<ModelConfig, 'firstByteMs' | 'idleMs'>;

/** One answer that the model is asked for. */
interface Asked {
  readonly answer: AsyncIterable<ModelStreamEvent>;
  /** Ends the request. */
  readonly silence: AbortController;
  /** Aborts when nobody wants the answer any more. */
  readonly caller: AbortSignal | undefined;
}

/**
 * The events of an answer, until the model is silent for too long. `silence` is then aborted, which ends the request.
 * @throws AppError `model_unavailable`
 */
async function* withoutLongSilence(
  { answer, silence, caller }: Asked,
  { firstByteMs, idleMs }: Patience,
  circuit: Circuit,
): AsyncGenerator<ModelStreamEvent, void, undefined> {
  const events = answer[Symbol.asyncIterator]();
  let reason = 'no_first_byte';
  try {
    yield* await circuit.call(caller, () => withDeadline(firstByteMs, undefined, () => beginningOf(events)));
    reason = 'silent';
    for (;;) {
      const next = await withDeadline(idleMs, undefined, () => events.next());
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    if (error instanceof CircuitOpenError) reason = 'circuit_open';
    else if (!(error instanceof DeadlineError)) throw error;
    throw new AppError('model_unavailable', { reason, cause: error });
  } finally {
    silence.abort();
  }
}

/** The first events. The very first one says only that the request has arrived. */
async function beginningOf(events: AsyncIterator<ModelStreamEvent>): Promise<readonly ModelStreamEvent[]> {
  const beginning: ModelStreamEvent[] = [];
  for (;;) {
    const next = await events.next();
    if (next.done === true) return beginning;
    beginning.push(next.value);
    if (next.value.type !== 'modelMessageStartEvent') return beginning;
  }
}

/**
 * Bedrock sends no start event for a text block, and Strands 1.19 then glues two neighbouring text blocks together
 * wrongly. Every block gets its start here. Calls are told apart by their ids alone, so an answer that uses one of the
 * conversation's ids again is refused before any of its calls begins.
 */
class BlockwiseBedrockModel extends BedrockModel {
  readonly #patience: Patience;
  readonly #circuit = new Circuit('bedrock');

  constructor(options: BedrockModelOptions, patience: Patience) {
    super(options);
    this.#patience = patience;
  }

  override async *stream(messages: Message[], options: StreamOptions = {}): AsyncIterable<ModelStreamEvent> {
    let open = false;
    const ids = new Set(messages.flatMap(toolUseIds));
    const silence = new AbortController();
    const { cancelSignal: caller } = options;
    const ending = caller === undefined ? silence.signal : AbortSignal.any([caller, silence.signal]);
    const answer = super.stream(messages, { ...options, cancelSignal: ending });
    const asked = { answer, silence, caller };
    for await (const event of withoutLongSilence(asked, this.#patience, this.#circuit)) {
      if (event.type === 'modelContentBlockDeltaEvent' && !open) {
        yield new ModelContentBlockStartEvent({ type: 'modelContentBlockStartEvent' });
      }
      if (event.type === 'modelContentBlockStartEvent' || event.type === 'modelContentBlockDeltaEvent')
        open = true;
      if (event.type === 'modelContentBlockStopEvent') open = false;
      if (event.type === 'modelContentBlockStartEvent' && event.start !== undefined) {
        const { toolUseId } = event.start;
        if (ids.has(toolUseId)) throw new AppError('model_invalid', { reason: 'tool_use_id_repeated' });
        ids.add(toolUseId);
      }
      yield event;
    }
  }
}

function toolUseIds({ content }: Message): string[] {
  return content.flatMap((block) => (block.type === 'toolUseBlock' ? [block.toolUseId] : []));
}

/** Amazon Bedrock over keep-alive HTTP/1.1; the SDK's default of HTTP/2 opens a connection for every call. */
export function bedrockModel({ region, id, answerTokens, ...patience }: ModelConfig): BedrockModel {
  const options: BedrockModelOptions = {
    modelId: id,
    region,
    maxTokens: answerTokens,
    clientConfig: {
      maxAttempts: 3,
      // The model may think for minutes, so no attempt has a limit of its own.
      requestHandler: new TracedRequestHandler({
        connectionTimeout: CONNECT_TIMEOUT_MS,
        // The handler's own limit of 50 would let one user's slow answers hold up everybody else's.
        httpAgent: { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY },
        httpsAgent: { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY },
      }),
    },
  };
  return new BlockwiseBedrockModel(options, patience);
}
