import { once } from 'node:events';
import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../common/errors/index.js';
import { testApp } from '../../common/http/testing/app.js';
import type { User } from '../../identity/sign-in/index.js';
import { Runs, type RunEvent, type RunReader, type RunRequest } from '../runs/index.js';
import { InvocationsController } from './invocations.controller.js';

interface Started {
  readonly user: User;
  readonly request: RunRequest;
  readonly reader: RunReader;
}

const AG_UI = {
  threadId: 'one',
  runId: 'run',
  messages: [{ id: '1', role: 'user', content: 'hello' }],
  tools: [],
  context: [],
};
const BODY = JSON.stringify(AG_UI);

async function* answer(): AsyncGenerator<RunEvent, void, undefined> {
  await Promise.resolve();
  yield { kind: 'started' };
  yield { kind: 'finished', outcome: 'success' };
}

describe('POST /invocations', () => {
  let app: NestFastifyApplication;
  let started: Started[];
  let fault: AppError | undefined;
  let run: () => AsyncIterable<RunEvent>;

  beforeEach(async () => {
    [started, fault, run] = [[], undefined, answer];
    const runs = {
      start: (user: User, request: RunRequest, reader: RunReader) => {
        started.push({ user, request, reader });
        const { signal } = new AbortController();
        return fault === undefined ? Promise.resolve({ events: run(), signal }) : Promise.reject(fault);
      },
    };
    app = await testApp(
      { controllers: [InvocationsController], providers: [{ provide: Runs, useValue: runs }] },
      { sub: 'alice' },
    );
  });
  afterEach(() => app.close());

  const post = (payload: object, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/invocations', payload, headers });

  it('starts the run that is asked for, for the user who asks', async () => {
    await post({ sessionId: 'one', message: 'hello' });
    expect(started).toMatchObject([
      {
        user: { sub: 'alice' },
        request: { sessionId: 'one', input: { kind: 'message', text: 'hello' } },
      },
    ]);
  });

  it('answers with the events of the run, under the ids of the client', async () => {
    const response = await post(AG_UI);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const ids = { threadId: 'one', runId: 'run' };
    const expected = [
      { type: 'RUN_STARTED', ...ids },
      { type: 'RUN_FINISHED', ...ids, outcome: { type: 'success' } },
    ];
    const lines = response.body.trim().split('\n\n');
    expect(lines.map((line) => JSON.parse(line.replace(/^id: \d\ndata: /, '')) as unknown)).toEqual(expected);
    expect(lines.map((line) => line.split('\n')[0])).toEqual(['id: 1', 'id: 2']);
  });

  it('names in its events the run that it has named itself', async () => {
    const { body } = await post({ sessionId: 'one', message: 'hello' });
    expect(started[0]?.request.runId).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toContain(`"runId":"${String(started[0]?.request.runId)}"`);
  });

  it.each([
    [{}, 'continue'],
    [{ 'x-on-disconnect': 'continue' }, 'continue'],
    [{ 'x-on-disconnect': 'cancel' }, 'cancel'],
  ])('lets the run go on without its client, or not: %j', async (headers, onDisconnect) => {
    await post(AG_UI, headers);
    expect(started[0]?.reader).toMatchObject({ onDisconnect });
  });

  it('names the run by the key of the request', async () => {
    await post({ sessionId: 'one', message: 'hello' }, { 'idempotency-key': 'my-key' });
    await post({ ...AG_UI, runId: 'my-key' }, { 'idempotency-key': 'my-key' });
    expect(started.map(({ request: { runId, chosenByClient } }) => ({ runId, chosenByClient }))).toEqual([
      { runId: 'my-key', chosenByClient: ['sessionId', 'runId'] },
      { runId: 'my-key', chosenByClient: ['sessionId', 'runId'] },
    ]);
  });

  it.each([
    [
      { 'idempotency-key': 'other' },
      'The runId of the body and the Idempotency-Key differ. Send one of them.',
    ],
    [{ 'idempotency-key': 'a b' }, /a header does not fit: idempotency-key\./],
    [{ 'x-on-disconnect': 'SECRET' }, /a header does not fit: x-on-disconnect\./],
  ])('starts nothing with the headers %j', async (headers, detail) => {
    const response = await post(AG_UI, headers);
    expect(response.statusCode).toBe(400);
    expect(response.json<{ detail: string }>().detail).toMatch(detail);
    expect(response.body).not.toContain('SECRET');
    expect(started).toEqual([]);
  });

  it('answers a problem where the run cannot start', async () => {
    fault = new AppError('session_busy');
    const response = await post(AG_UI);
    expect(response.statusCode).toBe(409);
    expect(response.json()).toMatchObject({ code: 'session_busy' });
  });

  it.each([[{}], [{ sessionId: 'one' }], [{ ...AG_UI, threadId: '../x' }]])(
    'starts nothing for %j',
    async (body) => {
      expect((await post(body)).json()).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(started).toEqual([]);
    },
  );

  describe('over a connection', () => {
    let closed: Promise<unknown>;
    let client: ClientRequest;
    let response: IncomingMessage;

    const connect = async (): Promise<void> => {
      await app.listen(0, '127.0.0.1');
      const server = app.getHttpServer();
      server.on('request', (_request, reply: ServerResponse) => {
        closed = once(reply, 'close');
      });
      const { port } = server.address() as AddressInfo;
      const headers = { 'content-type': 'application/json' };
      client = httpRequest({ port, host: '127.0.0.1', path: '/invocations', method: 'POST', headers });
      client.on('error', () => undefined);
      client.end(BODY);
      [response] = (await once(client, 'response')) as [IncomingMessage];
    };

    it('tells the run when the client has gone', async () => {
      const { promise: waits, resolve: goOn } = Promise.withResolvers<undefined>();
      run = async function* () {
        yield { kind: 'started' };
        await waits;
        yield { kind: 'finished', outcome: 'cancelled' };
      };
      await connect();
      expect(started[0]?.reader.gone.aborted).toBe(false);
      client.destroy();
      await closed;
      goOn(undefined);
      expect(started[0]?.reader.gone.aborted).toBe(true);
    });

    it('does not say that the client has gone when it has read all', async () => {
      await connect();
      response.resume();
      await once(response, 'end');
      await closed;
      expect(started[0]?.reader.gone.aborted).toBe(false);
    });

    it('does not wait for a slow client once the run is to end', async () => {
      const ending = new AbortController();
      const { promise: read, resolve: hasRead } = Promise.withResolvers<undefined>();
      // More than the buffers of both ends hold.
      const delta = 'x'.repeat(32 * 1024 * 1024);
      const events = (async function* (): AsyncGenerator<RunEvent, void, undefined> {
        await Promise.resolve();
        yield { kind: 'text', delta };
        hasRead(undefined);
        yield { kind: 'finished', outcome: 'cancelled' };
      })();
      const runs = app.get(Runs);
      runs.start = () => Promise.resolve({ events, signal: ending.signal });
      await connect();
      ending.abort();
      await expect(read).resolves.toBeUndefined();
      client.destroy();
      await closed;
    });
  });
});
