import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { recordedLog } from '../logging/testing/recorded-log.js';
import { traceIds } from '../telemetry/index.js';
import { recordedTelemetry, type RecordedTelemetry } from '../telemetry/testing/recorded-telemetry.js';
import { answerFrameworkError } from './error.filter.js';
import { addRequestHooks } from './request-hooks.js';
import { RequestsInFlight } from './requests-in-flight.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

describe('the span of a request', () => {
  let server: FastifyInstance;
  let recorded: RecordedTelemetry;
  let url: string;

  beforeEach(async () => {
    recordedLog();
    recorded = recordedTelemetry();
    server = fastify({ frameworkErrors: answerFrameworkError });
    addRequestHooks(server, 'https://app.example', new RequestsInFlight());
    server.get('/ping', () => 'pong');
    server.get('/things/:id', () => traceIds());
    server.get('/broken', (_request, reply) => reply.status(503).send('no'));
    await server.listen({ port: 0, host: '127.0.0.1' });
    url = `http://127.0.0.1:${String((server.server.address() as AddressInfo).port)}`;
  });
  afterEach(async () => {
    await server.close();
    await recorded.stop();
  });

  const get = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> => {
    const answer = await fetch(url + path, { headers: { ...headers, connection: 'close' } });
    const text = await answer.text();
    server.server.closeAllConnections();
    return text;
  };

  it('has the pattern of the route, and is around what the request does', async () => {
    const traceparent = `00-${TRACE}-${CALLER}-01`;
    const ids = JSON.parse(await get('/things/SECRET?SECRET=1', { traceparent })) as unknown;
    const [span] = recorded.spans();
    expect(span).toMatchObject({
      name: 'GET /things/:id',
      traceId: TRACE,
      parentId: CALLER,
      failed: false,
      attributes: { 'http.response.status_code': 200 },
    });
    expect(ids).toEqual({ traceId: TRACE, spanId: span?.spanId });
    expect(JSON.stringify(recorded.spans())).not.toContain('SECRET');
    expect(await recorded.measured('http.server.request.duration')).toEqual([
      {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'http.route': '/things/:id',
        'url.scheme': 'http',
      },
    ]);
  });

  it('is marked when the answer is a failure', async () => {
    await get('/broken');
    expect(recorded.spans()).toMatchObject([{ failed: true, attributes: { 'error.type': '503' } }]);
  });

  it('has the method alone for an address without a route, or that is refused', async () => {
    await get('/SECRET');
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.end('GET /%SECRET HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect(recorded.spans().map(({ name }) => name)).toEqual(['GET', 'GET']);
  });

  it('is not there for a health check', async () => {
    await get('/ping');
    expect(recorded.spans()).toEqual([]);
  });

  it('is not needed for the place that the caller has named', async () => {
    await recorded.stop();
    const traceparent = `00-${TRACE}-${CALLER}-01`;
    expect(JSON.parse(await get('/things/1', { traceparent }))).toEqual({ traceId: TRACE, spanId: CALLER });
    expect(JSON.parse(await get('/things/1'))).toEqual({});
  });
});
