import { randomBytes, randomUUID } from 'node:crypto';
import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { AwsCall } from '../lib/aws-call.ts';
import { AwsModel, violationText } from '../lib/aws-model.ts';
import { FaultSwitch } from '../lib/faults.ts';
import { listening, readBody, sendJson } from '../lib/http.ts';
import type { Listen, Part } from '../lib/part.ts';
import { signerOf } from '../lib/sigv4.ts';
import {
  countTokens,
  InvalidRequest,
  validate,
  type ConverseRequest,
  type Model,
  type Reply,
} from './protocol.ts';
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

const AWS_MODEL = new AwsModel('bedrock-runtime');
/** The IAM action of each operation. */
const ACTIONS: Readonly<Record<string, string>> = {
  Converse: 'bedrock:InvokeModel',
  ConverseStream: 'bedrock:InvokeModelWithResponseStream',
  CountTokens: 'bedrock:CountTokens',
};

/**
 * Amazon Bedrock's Converse, ConverseStream and CountTokens, over HTTP/1.1 and over HTTP/2 with prior knowledge on one port.
 * Each request is compared with AWS's own model, and with the rules of a conversation that the model does not have.
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
    response.setHeader('x-amzn-requestid', randomUUID());
    const read = await readRequest(request, response, refusals);
    if (read === undefined) return;
    const { name, model: modelId, converse } = read;
    const accessKeyId = signerOf(request, 'bedrock') ?? '';
    calls.push({ accessKeyId, action: ACTIONS[name] ?? '', target: { model: modelId } });
    if (name === 'CountTokens') {
      sendJson(response, 200, { inputTokens: countTokens(converse) });
      return;
    }
    requests.push(converse);
    const reply = part.model(converse);
    if (name === 'Converse') sendJson(response, 200, whole(reply));
    else if (!(await stream(response, reply, options.wordDelayMs ?? 0))) aborted += 1;
  };
  const { server, close } = dualProtocolServer((request, response) => {
    handle(request, response).catch(() => {
      response.destroy();
    });
  });
  return Object.assign(part, {
    url: await listening(server, options),
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

interface ModelRequest {
  readonly name: string;
  readonly model: string;
  readonly converse: ConverseRequest;
}

async function readRequest(
  request: IncomingMessage,
  response: ServerResponse,
  refusals: string[],
): Promise<ModelRequest | undefined> {
  const operation = AWS_MODEL.find(request.method ?? '', request.url ?? '');
  if (operation === undefined) {
    sendError(response, 404, 'UnknownOperationException', 'Unknown operation');
    return undefined;
  }
  const body = await readBody(request);
  if (signerOf(request, 'bedrock') === undefined) {
    sendError(response, 403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    return undefined;
  }
  try {
    const members = { ...(JSON.parse(body.toString('utf8')) as object), ...operation.members };
    const violation = AWS_MODEL.violation(operation.model.input, members);
    if (violation !== undefined) throw new InvalidRequest(violationText(violation));
    const converse = converseIn(members);
    // What is to be counted may be the body of another API, whose rules are not known here.
    if (converse !== undefined) validate(converse);
    const model = String(operation.members.modelId);
    return { name: operation.name, model, converse: converse ?? (members as unknown as ConverseRequest) };
  } catch (error) {
    if (!(error instanceof InvalidRequest) && !(error instanceof SyntaxError)) throw error;
    refusals.push(error.message);
    sendError(response, 400, 'ValidationException', error.message);
    return undefined;
  }
}

function converseIn(members: object): ConverseRequest | undefined {
  if (!('input' in members)) return members as ConverseRequest;
  return (members.input as { readonly converse?: ConverseRequest }).converse;
}

function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  sendJson(response, status, { message }, { 'x-amzn-errortype': type });
}

/** A reply in one piece. */
function whole({ text, toolUses }: Reply): object {
  const uses = toolUses.map(({ name, input, toolUseId = newToolUseId() }) => ({
    toolUse: { toolUseId, name, input },
  }));
  const content = [...(text === '' ? [] : [{ text }]), ...uses];
  const usage = usageOf(wordsOf(text).length + uses.length);
  const stopReason = stopReasonOf(toolUses);
  return {
    output: { message: { role: 'assistant', content } },
    stopReason,
    usage,
    metrics: { latencyMs: 0 },
  };
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
  const usage = usageOf(outputTokens);
  response.end(frame('metadata', { usage, metrics: { latencyMs: Date.now() - startedAt } }));
  return true;
}

/** One token for the whole input, so that what is measured on the stack does not depend on the length of a prompt. */
function usageOf(outputTokens: number): object {
  return { inputTokens: 1, outputTokens, totalTokens: outputTokens + 1 };
}

function stopReasonOf(toolUses: Reply['toolUses']): string {
  return toolUses.length > 0 ? 'tool_use' : 'end_turn';
}

function newToolUseId(): string {
  return `tooluse_${randomBytes(16).toString('base64url')}`;
}

function wordsOf(text: string): readonly string[] {
  return text === '' ? [] : (text.match(/\s*\S+\s*$|\s*\S+/g) ?? [text]);
}

function* eventsOf(reply: Reply): Generator<{ type: string; body: unknown }> {
  yield { type: 'messageStart', body: { role: 'assistant' } };
  let contentBlockIndex = 0;
  if (reply.text !== '') {
    for (const word of wordsOf(reply.text)) {
      yield { type: 'contentBlockDelta', body: { contentBlockIndex, delta: { text: word } } };
    }
    yield { type: 'contentBlockStop', body: { contentBlockIndex } };
    contentBlockIndex += 1;
  }
  for (const { name, input, toolUseId = newToolUseId() } of reply.toolUses) {
    const toolUse = { toolUseId, name };
    yield { type: 'contentBlockStart', body: { contentBlockIndex, start: { toolUse } } };
    yield {
      type: 'contentBlockDelta',
      body: { contentBlockIndex, delta: { toolUse: { input: JSON.stringify(input) } } },
    };
    yield { type: 'contentBlockStop', body: { contentBlockIndex } };
    contentBlockIndex += 1;
  }
  yield { type: 'messageStop', body: { stopReason: stopReasonOf(reply.toolUses) } };
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
