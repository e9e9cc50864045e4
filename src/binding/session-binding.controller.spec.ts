import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppError } from '../common/errors/index.js';
import { testApp } from '../common/http/testing/app.js';
import type { User } from '../identity/index.js';
import type { Flow } from './flow-cookies.js';
import { SessionBindingController } from './session-binding.controller.js';
import { SessionBinding, type Bound } from './session-binding.js';

const alice: User = { sub: 'alice' };
const flow = {
  providerLabel: 'GitHub',
  consent: { sessionId: 'one', interruptId: 'interrupt-1' },
} as Flow;

describe('the callback', () => {
  let asked: unknown[];
  let answer: () => Promise<Bound>;
  let app: NestFastifyApplication;

  beforeEach(async () => {
    asked = [];
    const bind = (...parameters: readonly unknown[]): Promise<Bound> => {
      asked.push(parameters);
      return answer();
    };
    app = await testApp(
      {
        controllers: [SessionBindingController],
        providers: [{ provide: SessionBinding, useValue: { bind } }],
      },
      alice,
    );
  });
  afterEach(() => app.close());

  const comeBack = () =>
    app.inject({ url: '/oauth2/session-binding?session_id=x&state=s', headers: { cookie: 'a=b' } });

  it('binds with what the browser brought: its user, its parameters and its cookies', async () => {
    answer = () => Promise.resolve({ kind: 'done', flow, cookie: 'flow=done' });
    const { statusCode, headers, body } = await comeBack();
    expect(asked).toEqual([[alice, { session_id: 'x', state: 's' }, 'a=b']]);
    expect([statusCode, headers['set-cookie']]).toEqual([200, 'flow=done']);
    expect(body).toContain('GitHub is connected');
    expect(body).toContain('"interruptId":"interrupt-1"');
  });

  it('says when it was done before, and sets nothing', async () => {
    answer = () => Promise.resolve({ kind: 'already_done', flow });
    const { statusCode, headers, body } = await comeBack();
    expect([statusCode, headers['set-cookie']]).toEqual([200, undefined]);
    expect(body).toContain('GitHub is already connected');
    expect(body).not.toContain('BroadcastChannel');
  });

  it('passes a refusal on', async () => {
    answer = () => Promise.reject(new AppError('flow_expired'));
    const refusal = await comeBack();
    expect(refusal.json()).toMatchObject({ code: 'flow_expired' });
    expect(refusal.headers['set-cookie']).toBeUndefined();
  });
});
