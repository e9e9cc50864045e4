import {
  BedrockModel,
  ModelContentBlockStartEvent,
  type Message,
  type ModelStreamEvent,
  type StreamOptions,
} from '@strands-agents/sdk';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { AppError } from '../../common/errors/index.js';
import type { ModelConfig } from '../../config/index.js';

const CONNECT_TIMEOUT_MS = 3_000;
/** Between two bytes of an answer. */
const SOCKET_TIMEOUT_MS = 60_000;
const MAXIMUM_TOKENS = 4_096;

/**
 * Bedrock sends no start event for a text block, and Strands 1.19 then glues two neighbouring text blocks together
 * wrongly. Every block gets its start here. Calls are told apart by their ids alone, so an answer that uses one of the
 * conversation's ids again is refused before any of its calls begins.
 */
class BlockwiseBedrockModel extends BedrockModel {
  override async *stream(messages: Message[], options?: StreamOptions): AsyncIterable<ModelStreamEvent> {
    let open = false;
    const ids = new Set(messages.flatMap(toolUseIds));
    for await (const event of super.stream(messages, options)) {
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
export function bedrockModel({ region, id }: ModelConfig): BedrockModel {
  return new BlockwiseBedrockModel({
    modelId: id,
    region,
    maxTokens: MAXIMUM_TOKENS,
    clientConfig: {
      maxAttempts: 3,
      requestHandler: new NodeHttpHandler({
        connectionTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SOCKET_TIMEOUT_MS,
        // The handler's own limit of 50 would let one user's slow answers hold up everybody else's.
        httpAgent: { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY },
        httpsAgent: { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY },
      }),
    },
  });
}
