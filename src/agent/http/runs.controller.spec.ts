import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Audit } from '../../audit/index.js';
import { recordedAudit, type RecordedLine } from '../../audit/testing/recorded-audit.js';
import { AppError } from '../../common/errors/index.js';
import { testApp } from '../../common/http/testing/app.js';
import type { RunName } from '../../sessions/index.js';
import { Runs, type RunEvent, type RunReader } from '../runs/index.js';
import { RunsController } from './runs.controller.js';

const NAME = { sub: 'alice', sessionId: 'one', runId: 'run-1' };
const EVENTS = '/runs/run-1/events?sessionId=one';
const STOP = '/runs/run-1/stop?sessionId=one';

async function* answer(): AsyncGenerator<RunEvent, void, undefined> {
  await Promise.resolve();
  yield { kind: 'started' };
  yield { kind: 'text', delta: 'hello' };
  yield { kind: 'finished', outcome: 'success' };
}

describe('the runs over HTTP', () => {
  let app: NestFastifyApplication;
  let asked: unknown[];
  let fault: AppError | undefined;
  let trail: readonly RecordedLine[];

  beforeEach(async () => {
    [asked, fault] = [[], undefined];
    const runs = {
      follow: (name: RunName, { onDisconnect }: RunReader) => {
        asked.push(['follow', name, onDisconnect]);
        const { signal } = new AbortController();
        return fault === undefined ? Promise.resolve({ events: answer(), signal }) : Promise.reject(fault);
      },
      stop: (name: RunName) => {
        asked.push(['stop', name]);
        return fault === undefined ? Promise.resolve() : Promise.reject(fault);
      },
    };
    const { audit, lines } = recordedAudit();
    trail = lines;
    const providers = [
      { provide: Runs, useValue: runs },
      { provide: Audit, useValue: audit },
    ];
    app = await testApp({ controllers: [RunsController], providers }, { sub: 'alice' });
  });
  afterEach(() => app.close());

  it('are read again from their first event on', async () => {
    const { statusCode, headers, body } = await app.inject(EVENTS);
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(body.match(/^id: \d$/gm)).toEqual(['id: 1', 'id: 2', 'id: 3', 'id: 4', 'id: 5']);
    expect(asked).toEqual([['follow', NAME, 'continue']]);
    expect(trail).toMatchObject([{ event: 'conversation_read', user: 'alice', sessionId: 'one' }]);
  });

  it('are read on after the last event that the client has', async () => {
    const whole = (await app.inject(EVENTS)).body;
    const rest = (await app.inject({ url: EVENTS, headers: { 'last-event-id': '3' } })).body;
    expect(rest).toMatch(/^id: 4\n/);
    expect(whole.endsWith(rest)).toBe(true);
  });

  it('are stopped', async () => {
    const { statusCode, body } = await app.inject({ method: 'POST', url: STOP });
    expect([statusCode, body]).toEqual([204, '']);
    expect(asked).toEqual([['stop', NAME]]);
    expect(trail).toMatchObject([{ event: 'run_stopped', user: 'alice', sessionId: 'one', runId: 'run-1' }]);
  });

  it.each([
    ['GET', EVENTS],
    ['POST', STOP],
  ] as const)('are unknown where they are: %s', async (method, url) => {
    fault = new AppError('run_not_found');
    const response = await app.inject({ method, url });
    expect(response.json()).toMatchObject({ status: 404, code: 'run_not_found' });
    expect(trail).toEqual([]);
  });

  it.each<['GET' | 'POST', string, Record<string, string>]>([
    ['GET', '/runs/run-1/events', {}],
    ['GET', '/runs/run-1/events?sessionId=..%2Fx', {}],
    ['GET', `${EVENTS}&more=1`, {}],
    ['GET', '/runs/a%20b/events?sessionId=one', {}],
    ['GET', EVENTS, { 'last-event-id': '-1' }],
    ['GET', EVENTS, { 'last-event-id': 'SECRET' }],
    ['POST', '/runs/run-1/stop', {}],
    ['POST', '/runs/a%20b/stop?sessionId=one', {}],
  ])('are not looked for by %s %s %j', async (method, url, headers) => {
    const response = await app.inject({ method, url, headers });
    expect(response.json()).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(response.body).not.toContain('SECRET');
    expect(asked).toEqual([]);
  });
});
