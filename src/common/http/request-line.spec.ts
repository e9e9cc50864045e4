import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { annotateContext, requestContext } from '../context/index.js';
import { recordedLog, type LoggedLine } from '../logging/testing/recorded-log.js';
import { answerFrameworkError } from './error.filter.js';
import { addRequestHooks } from './request-hooks.js';
import { RequestsInFlight } from './requests-in-flight.js';

const SECRET = 'SECRET';

describe('the line of a request', () => {
  let server: FastifyInstance;
  let inFlight: RequestsInFlight;
  let url: string;
  let log: readonly LoggedLine[];
  let now: number;
  let arrived: PromiseWithResolvers<undefined>;
  /** The ids that each line is given by its context. */
  let contexts: unknown[];

  beforeEach(async () => {
    log = recordedLog();
    [contexts, now] = [[], 1_000];
    const lines = log as LoggedLine[];
    const push = lines.push.bind(lines);
    lines.push = (...more: LoggedLine[]): number => {
      contexts.push(requestContext());
      return push(...more);
    };
    arrived = Promise.withResolvers();
    server = fastify({ genReqId: () => 'request', frameworkErrors: answerFrameworkError });
    inFlight = new RequestsInFlight();
    addRequestHooks(server, 'https://app.example', inFlight);
    server.get('/ping', () => 'pong');
    server.get('/ready', (_request, reply) => reply.status(503).send('no'));
    server.get('/things/:id', () => {
      annotateContext({ sessionId: SECRET });
      return 'found';
    });
    server.get('/broken', (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(202, { 'content-length': '10' });
      reply.raw.write('half');
      reply.raw.destroy();
    });
    server.get('/never', (_request, reply) => {
      reply.hijack();
      arrived.resolve(undefined);
    });
    server.get('/late', () => {
      now += 234.6;
      return 'late';
    });
    server.post('/things', () => 'made');
    await server.listen({ port: 0, host: '127.0.0.1' });
    url = `http://127.0.0.1:${String((server.server.address() as AddressInfo).port)}`;
  });
  afterEach(async () => {
    server.server.closeAllConnections();
    await server.close();
  });

  /** Whether the process would have to wait for a request. */
  const isWaited = async (): Promise<boolean> => {
    let isOver = false;
    void inFlight.beforeApplicationShutdown().then(() => {
      isOver = true;
    });
    await new Promise(setImmediate);
    return !isOver;
  };
  const line = async (): Promise<LoggedLine | undefined> => {
    while (log.length === 0) await new Promise(setImmediate);
    return log[0];
  };

  it.each<[string, string, object, object]>([
    ['GET', `/things/${SECRET}?q=${SECRET}`, {}, { route: '/things/:id', status: 200 }],
    ['POST', '/things', { 'sec-fetch-site': 'cross-site' }, { route: '/things', status: 500 }],
    ['GET', '/ready', {}, { route: '/ready', status: 503 }],
    ['GET', `/${SECRET}`, {}, { status: 404 }],
    ['GET', `/${SECRET}%`, {}, { status: 400 }],
  ])('%s %s: says which route answered, and how', async (method, path, headers, expected) => {
    await (await fetch(url + path, { method, headers: { 'user-agent': SECRET, ...headers } })).text();
    expect(await line()).toEqual({
      level: 'log',
      context: 'RequestLine',
      fields: {
        event: 'request_ended',
        method,
        ...expected,
        durationMs: expect.any(Number),
        complete: true,
      },
    });
    expect(contexts).toEqual([{ requestId: 'request' }]);
    expect(await isWaited()).toBe(false);
  });

  it('tells the whole milliseconds from its start to its end', async () => {
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    await (await fetch(`${url}/late`)).text();
    expect((await line())?.fields.durationMs).toBe(235);
    jest.restoreAllMocks();
  });

  it('is not written for a health check that succeeds', async () => {
    await (await fetch(`${url}/ping`)).text();
    await (await fetch(`${url}/things/a`)).text();
    await line();
    expect(log.map(({ fields }) => fields.route)).toEqual(['/things/:id']);
  });

  it('says that an answer broke off', async () => {
    await expect(fetch(`${url}/broken`).then((answer) => answer.text())).rejects.toThrow();
    expect((await line())?.fields).toMatchObject({ route: '/broken', status: 202, complete: false });
  });

  it('has no status where the client left before it was answered, who is waited for until then', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET /never HTTP/1.1\r\nhost: a\r\n\r\n');
    await arrived.promise;
    expect(await isWaited()).toBe(true);
    socket.destroy();
    await once(socket, 'close');
    expect((await line())?.fields).toEqual({
      event: 'request_ended',
      method: 'GET',
      route: '/never',
      durationMs: expect.any(Number),
      complete: false,
    });
    expect(await isWaited()).toBe(false);
  });
});
