import { randomBytes } from 'node:crypto';
import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { AwsCall } from '../lib/aws-call.ts';
import { FaultSwitch } from '../lib/faults.ts';
import { listening, readBody, sendJson } from '../lib/http.ts';
import type { Listen, Part } from '../lib/part.ts';
import { signerOf } from '../lib/sigv4.ts';
import { InvalidRequest, validate, type ConverseRequest, type Model, type Reply } from './protocol.ts';
import { ruleBasedModel } from './rule-based-model.ts';

export interface BedrockOptions extends Listen {
  readonly model?: Model;
  /** Milliseconds between two words of an answer. */
  readonly wordDelayMs?: number;
}

export interface LocalBedrock extends Part {
  /** Every request that the model has received, for tests, which may empty it. */
  readonly requests: ConverseRequest[];
  /** Every call so far, for tests. */
  readonly calls: readonly AwsCall[];
  /** Why requests were refused as invalid, for tests. */
  readonly refusals: readonly string[];
  /** The number of streams that a client closed before their end. */
  readonly aborted: () => number;
  model: Model;
}

const codec = new EventStreamCodec(
  (input) => Buffer.from(input as Uint8Array).toString('utf8'),
  (input) => Buffer.from(input, 'utf8'),
);

/**
 * Amazon Bedrock's ConverseStream: `POST /model/{id}/converse-stream`, answered as an `application/vnd.amazon.eventstream`,
 * over HTTP/1.1 and over HTTP/2 with prior knowledge on one port.
 */
export async function startBedrock(options: BedrockOptions = {}): Promise<LocalBedrock> {
  const faults = new FaultSwitch();
  const requests: ConverseRequest[] = [];
  const calls: AwsCall[] = [];
  const refusals: string[] = [];
  let aborted = 0;
  const model = options.model ?? ruleBasedModel;
  const part = { model };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    options.watch?.(request, response);
    if (await faults.apply(request, response)) return;
    const converse = await readRequest(request, response, refusals);
    if (converse === undefined) return;
    requests.push(converse);
    calls.push({
      accessKeyId: signerOf(request, 'bedrock') ?? '',
      action: 'bedrock:InvokeModelWithResponseStream',
      target: { model: decodeURIComponent(/^\/model\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? '') },
    });
    const finished = await stream(response, part.model(converse), options.wordDelayMs ?? 0);
    if (!finished) aborted += 1;
  };
  const { server, close } = dualProtocolServer((request, response) => {
    handle(request, response).catch(() => {
      response.destroy();
    });
  });
  await listening(server, options);
  return Object.assign(part, {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    faults,
    requests,
    calls,
    refusals,
    aborted: () => aborted,
    close,
    reset: () => {
      requests.length = 0;
      calls.length = 0;
      refusals.length = 0;
      faults.clear();
      part.model = model;
      return Promise.resolve();
    },
  });
}

async function readRequest(
  request: IncomingMessage,
  response: ServerResponse,
  refusals: string[],
): Promise<ConverseRequest | undefined> {
  if (request.method !== 'POST' || !/^\/model\/[^/]+\/converse-stream$/.test(request.url ?? '')) {
    sendError(response, 404, 'UnknownOperationException', 'Unknown operation');
    return undefined;
  }
  const body = await readBody(request);
  if (signerOf(request, 'bedrock') === undefined) {
    sendError(response, 403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    return undefined;
  }
  try {
    return validate(JSON.parse(body.toString('utf8')));
  } catch (error) {
    if (!(error instanceof InvalidRequest) && !(error instanceof SyntaxError)) throw error;
    refusals.push(error.message);
    sendError(response, 400, 'ValidationException', error.message);
    return undefined;
  }
}

function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  sendJson(response, status, { message }, { 'x-amzn-errortype': type });
}

/** Resolves with true when the whole reply was sent. */
async function stream(response: ServerResponse, reply: Reply, wordDelayMs: number): Promise<boolean> {
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
  const startedAt = Date.now();
  let outputTokens = 0;
  for (const event of eventsOf(reply)) {
    if (response.destroyed) return false;
    if (event.type === 'contentBlockDelta') {
      outputTokens += 1;
      if (wordDelayMs > 0) await delay(wordDelayMs);
    }
    response.write(frame(event.type, event.body));
  }
  const usage = { inputTokens: 1, outputTokens, totalTokens: outputTokens + 1 };
  response.end(frame('metadata', { usage, metrics: { latencyMs: Date.now() - startedAt } }));
  return true;
}

function* eventsOf(reply: Reply): Generator<{ type: string; body: unknown }> {
  yield { type: 'messageStart', body: { role: 'assistant' } };
  let contentBlockIndex = 0;
  if (reply.text !== '') {
    for (const word of reply.text.match(/\s*\S+\s*$|\s*\S+/g) ?? [reply.text]) {
      yield { type: 'contentBlockDelta', body: { contentBlockIndex, delta: { text: word } } };
    }
    yield { type: 'contentBlockStop', body: { contentBlockIndex } };
    contentBlockIndex += 1;
  }
  for (const {
    name,
    input,
    toolUseId = `tooluse_${randomBytes(16).toString('base64url')}`,
  } of reply.toolUses) {
    const toolUse = { toolUseId, name };
    yield { type: 'contentBlockStart', body: { contentBlockIndex, start: { toolUse } } };
    yield {
      type: 'contentBlockDelta',
      body: { contentBlockIndex, delta: { toolUse: { input: JSON.stringify(input) } } },
    };
    yield { type: 'contentBlockStop', body: { contentBlockIndex } };
    contentBlockIndex += 1;
  }
  yield { type: 'messageStop', body: { stopReason: reply.toolUses.length > 0 ? 'tool_use' : 'end_turn' } };
}

function frame(type: string, body: unknown): Uint8Array {
  return codec.encode({
    headers: {
      ':event-type': { type: 'string', value: type },
      ':content-type': { type: 'string', value: 'application/json' },
      ':message-type': { type: 'string', value: 'event' },
    },
    body: Buffer.from(JSON.stringify(body)),
  });
}

/** Serves both protocols on one port: the first bytes of a connection show whether it starts with HTTP/2's preface. */
function dualProtocolServer(listener: (request: IncomingMessage, response: ServerResponse) => void): {
  server: Server;
  close: () => Promise<void>;
} {
  const http1 = createHttp1Server({ keepAliveTimeout: 75_000 }, listener);
  // The request and response of the compatibility API have all members that the handler uses.
  const http2 = createHttp2Server((request, response) => {
    listener(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  http2.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      (first.toString('latin1').startsWith('PRI * HTTP/2') ? http2 : http1).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      server.close(() => {
        resolve();
      });
    });
  return { server, close };
}
