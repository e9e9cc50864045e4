import { createServer, type OutgoingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { recordedLog } from '../common/logging/testing/recorded-log.js';
import { S3Adapter } from './s3.adapter.js';

const MODIFIED = 'Thu, 01 Jan 2026 00:00:00 GMT';

describe('the age of an object', () => {
  let server: Server;
  let adapter: S3Adapter;
  let answer: { readonly status: number; readonly headers: OutgoingHttpHeaders };
  let asked: string[];
  const before = { ...process.env };

  beforeEach(async () => {
    recordedLog();
    asked = [];
    server = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.sendDate = false;
      response.writeHead(answer.status, answer.headers).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    process.env.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${String(port)}`;
    process.env.AWS_ACCESS_KEY_ID = 'key';
    process.env.AWS_SECRET_ACCESS_KEY = 'secret';
    adapter = new S3Adapter({ bucket: 'conversations', region: 'eu-west-1', deadlineMs: 1_000 });
  });
  afterEach(async () => {
    process.env = { ...before };
    adapter.onApplicationShutdown();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it.each([
    ['Thu, 01 Jan 2026 00:00:00 GMT', 0],
    ['Thu, 01 Jan 2026 00:00:07 GMT', 7_000],
    ['Thu, 01 Jan 2026 01:00:00 GMT', 3_600_000],
  ])("is told by S3's own clock: %s", async (date, age) => {
    answer = { status: 200, headers: { date, 'last-modified': MODIFIED } };
    expect(await adapter.age('tasks/one.json')).toBe(age);
    expect(asked).toEqual(['HEAD /conversations/tasks/one.json']);
  });

  it('is unknown where there is no object', async () => {
    answer = { status: 404, headers: { date: MODIFIED } };
    expect(await adapter.age('key')).toBeUndefined();
  });

  it.each([
    ['no date', { 'last-modified': MODIFIED }],
    ['no time of its own', { date: MODIFIED }],
  ])('cannot be told without %s', async (_name, headers) => {
    answer = { status: 200, headers };
    await expect(adapter.age('key')).rejects.toMatchObject({
      code: 'sessions_unavailable',
      reason: 'HeadObject',
    });
  });
});
