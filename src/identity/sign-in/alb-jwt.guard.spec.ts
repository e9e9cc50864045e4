import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { Controller, Get } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Strategy } from 'passport-jwt';
import { Audit } from '../../audit/index.js';
import { recordedAudit, type RecordedLine } from '../../audit/testing/recorded-audit.js';
import { AppError } from '../../common/errors/index.js';
import { Public } from '../../common/http/index.js';
import { testApp } from '../../common/http/testing/app.js';
import { ALB_CONFIG, SIGN_IN_CONFIG } from '../../config/index.js';
import { TestAlb } from '../testing/alb.js';
import { AlbJwtGuard } from './alb-jwt.guard.js';
import { AlbJwtStrategy } from './alb-jwt.strategy.js';
import { AlbTokenVerifier } from './alb/alb-token.verifier.js';
import { SIGN_IN } from './sign-in.js';
import { CurrentUser } from './current-user.decorator.js';
import type { User } from './user.js';

@Controller()
class DoorsController {
  @Get('closed')
  closed(@CurrentUser() user: User): User {
    return user;
  }

  @Public()
  @Get('open')
  open(): string {
    return 'open';
  }

  @Public()
  @Get('open-but-personal')
  personal(@CurrentUser() user: User): User {
    return user;
  }
}

@Public()
@Controller('public')
class PublicController {
  @Get()
  open(): string {
    return 'open';
  }
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: () => unknown;
}

describe('the guard of every route', () => {
  let alb: TestAlb;
  let app: NestFastifyApplication;
  let trail: readonly RecordedLine[];
  let verifier: AlbTokenVerifier;

  const start = async (workloadTokenSource: string): Promise<NestFastifyApplication> => {
    const recorded = recordedAudit();
    trail = recorded.lines;
    const started = await testApp({
      controllers: [DoorsController, PublicController],
      providers: [
        AlbTokenVerifier,
        { provide: SIGN_IN, useExisting: AlbTokenVerifier },
        AlbJwtStrategy,
        { provide: Audit, useValue: recorded.audit },
        { provide: ALB_CONFIG, useValue: alb.config },
        { provide: SIGN_IN_CONFIG, useValue: { withUserToken: workloadTokenSource === 'jwt' } },
        { provide: APP_GUARD, useClass: AlbJwtGuard },
      ],
    });
    await started.listen(0, '127.0.0.1');
    return started;
  };

  beforeEach(async () => {
    alb = await TestAlb.start();
    app = await start('user-id');
    verifier = app.get(AlbTokenVerifier);
  });
  afterEach(async () => {
    await app.close();
    await alb.close();
  });

  // The requests use a socket, because an injected request cannot have two headers of the same name.
  const ask = async (headers: OutgoingHttpHeaders = {}, path = '/closed'): Promise<Answer> => {
    const url = new URL(path, await app.getUrl());
    return new Promise((resolve, reject) => {
      request(url, { headers, agent: false }, (response) => {
        const { statusCode: status, headers: got } = response;
        text(response).then((body) => {
          resolve({ status, headers: got, body, json: () => JSON.parse(body) as unknown });
        }, reject);
      })
        .on('error', reject)
        .end();
    });
  };
  const signedIn = (payload: Readonly<Record<string, unknown>> = {}): OutgoingHttpHeaders => ({
    'x-amzn-oidc-data': alb.token({}, payload),
  });

  it("accepts the load balancer's token, and passes its user on", async () => {
    const answer = await ask({ ...signedIn(), 'x-amzn-oidc-accesstoken': 'not requested' });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ sub: 'subject' });
    expect(trail).toMatchObject([{ event: 'signed_in', user: 'subject' }]);
  });

  it('passes on the display name, if there is one', async () => {
    expect((await ask(signedIn({ name: 'Alice' }))).json()).toEqual({ sub: 'subject', displayName: 'Alice' });
  });

  it('refuses a request without a token', async () => {
    const answer = await ask();
    expect(answer.json()).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(answer.headers['www-authenticate']).toBe('OpenIdConnect');
    expect(trail).toMatchObject([
      { event: 'sign_in_refused', code: 'unauthenticated', reason: 'token_missing' },
    ]);
  });

  it('accepts no token from other headers, the query or the body', async () => {
    const token = alb.token();
    const answer = await ask({ authorization: `Bearer ${token}` }, `/closed?auth_token=${token}`);
    expect(answer.json()).toMatchObject({ code: 'unauthenticated' });
  });

  it('refuses two tokens, even if they are equal', async () => {
    const token = alb.token();
    const answer = await ask({ 'x-amzn-oidc-data': [token, token] });
    expect(answer.json()).toMatchObject({ code: 'unauthenticated' });
    expect(trail).toMatchObject([{ reason: 'token_missing' }]);
  });

  it.each([
    ['is refused', { 'x-amzn-oidc-data': 'x' }, 'answer', 'unauthenticated', 'token_shape'],
    ['cannot be checked', undefined, 500, 'sign_in_keys_unavailable', 'key_host'],
  ] as const)('refuses a token that %s', async (_name, headers, behaviour, code, reason) => {
    alb.behaviour = behaviour;
    expect((await ask(headers ?? signedIn())).json()).toMatchObject({ code });
    expect(trail).toMatchObject([{ event: 'sign_in_refused', code, reason }]);
  });

  it('refuses the request when the check itself fails, and records the failure', async () => {
    verifier.verify = () => Promise.reject(new Error('broken'));
    expect((await ask(signedIn())).json()).toMatchObject({ status: 500, code: 'internal_error' });
    expect(trail).toMatchObject([{ event: 'sign_in_refused', code: 'internal_error' }]);
  });

  it('records an unknown reason as unknown', async () => {
    verifier.verify = () => Promise.reject(new AppError('unauthenticated'));
    expect((await ask(signedIn())).json()).toMatchObject({ code: 'unauthenticated' });
    expect(trail).toMatchObject([{ event: 'sign_in_refused', reason: 'unknown' }]);
  });

  it('refuses a token that only passport-jwt would accept', async () => {
    const strategy = app.get(AlbJwtStrategy);
    const request = { raw: { headersDistinct: { 'x-amzn-oidc-data': [alb.token()] } } };
    const outcome = await new Promise((resolve) => {
      const outcomes = Object.fromEntries(
        ['success', 'fail', 'error'].map((name) => [
          name,
          (value: unknown) => {
            resolve([name, value]);
          },
        ]),
      );
      const attempt = Object.assign(Object.create(strategy) as AlbJwtStrategy, outcomes);
      Strategy.prototype.authenticate.call(attempt, request as never, {});
    });
    expect(outcome).toMatchObject(['fail', { message: 'not used' }]);
    expect(() => strategy.validate()).toThrow(
      expect.objectContaining({ code: 'internal_error', reason: 'passport_jwt_verification_used' }),
    );
  });

  it.each(['/open', '/public'])('lets everybody in at %s without checking a token', async (url) => {
    const answer = await ask({}, url);
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('open');
    expect(trail).toEqual([]);
  });

  it('has no user on a public route, whatever token is sent', async () => {
    expect((await ask(signedIn(), '/open-but-personal')).json()).toMatchObject({ code: 'unauthenticated' });
  });

  describe('when user tokens are passed on to AgentCore Identity', () => {
    beforeEach(async () => {
      await app.close();
      app = await start('jwt');
    });

    it('accepts a request with both tokens', async () => {
      const answer = await ask({ ...signedIn(), 'x-amzn-oidc-accesstoken': 'user-token' });
      expect(answer.json()).toEqual({ sub: 'subject', userToken: 'user-token' });
    });

    it.each<[string, OutgoingHttpHeaders]>([
      ['no', {}],
      ['two', { 'x-amzn-oidc-accesstoken': ['a', 'b'] }],
    ])('refuses a request with %s user tokens', async (_name, headers) => {
      expect((await ask({ ...signedIn(), ...headers })).json()).toMatchObject({ code: 'unauthenticated' });
      expect(trail).toMatchObject([{ event: 'sign_in_refused', reason: 'access_token_missing' }]);
    });
  });

  it.each([false, null, undefined])('refuses to pass on a user that is %s', (user) => {
    const guard = new AlbJwtGuard(new Reflector(), verifier);
    expect(() => guard.handleRequest(undefined, user)).toThrow(
      expect.objectContaining({ code: 'unauthenticated' }),
    );
  });
});
