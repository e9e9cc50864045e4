import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppError, type ErrorCode } from '../common/errors/index.js';
import { testApp } from '../common/http/testing/app.js';
import { FLOW_CONFIG } from '../config/index.js';
import type { FlowRecord } from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import { CONSENT, FLOWS } from '../identity/testing/flow.js';
import { BrowserAnswers } from './browser-answers.js';
import { FlowResults } from './flow-results.js';
import { SessionBindingController } from './session-binding.controller.js';
import { SessionBinding, type BindingOutcome } from './session-binding.js';

const alice: User = { sub: 'alice', displayName: 'Alice' };
const record = { provider: 'GitHub', account: 'alice-octo', consent: CONSENT } as FlowRecord;

describe('the callback', () => {
  let asked: unknown[];
  let answer: () => Promise<BindingOutcome>;
  let app: NestFastifyApplication;

  const appFor = (user: User): Promise<NestFastifyApplication> => {
    const bind = (...parameters: readonly unknown[]): Promise<BindingOutcome> => {
      asked.push(parameters);
      return answer();
    };
    return testApp(
      {
        controllers: [SessionBindingController],
        providers: [
          BrowserAnswers,
          FlowResults,
          { provide: FLOW_CONFIG, useValue: FLOWS },
          { provide: SessionBinding, useValue: { bind } },
        ],
      },
      user,
    );
  };
  beforeEach(async () => {
    asked = [];
    app = await appFor(alice);
  });
  afterEach(() => app.close());

  const get = (url: string, headers: Readonly<Record<string, string>> = {}) => app.inject({ url, headers });
  const comeBack = (headers: Readonly<Record<string, string>> = { accept: 'text/html' }) =>
    get('/oauth2/session-binding?session_id=x&state=s', { cookie: 'a=b', ...headers });
  const cookiesOf = ({ headers }: Awaited<ReturnType<typeof comeBack>>): string[] =>
    [headers['set-cookie'] ?? []].flat();
  const kept = (answered: Awaited<ReturnType<typeof comeBack>>): string =>
    cookiesOf(answered)
      .find((each) => each.startsWith('__Host-onbehalf-result='))
      ?.split(';')[0] ?? '';
  const resultOf = (cookie: string) => get('/oauth2/session-binding', { accept: 'text/html', cookie });

  it('binds with the parameters and cookies of the browser, and shows the result at an address without a query', async () => {
    answer = () => Promise.resolve({ kind: 'done', record, cookies: ['flow=done'] });
    const first = await comeBack();
    expect(asked).toEqual([[alice, { session_id: 'x', state: 's' }, 'a=b']]);
    expect(first.statusCode).toBe(303);
    expect(first.headers.location).toBe('/oauth2/session-binding');
    expect(cookiesOf(first)).toEqual([
      'flow=done',
      expect.stringContaining('Max-Age=300; HttpOnly; SameSite=Lax; Secure'),
    ]);
    const page = await resultOf(kept(first));
    expect(page.statusCode).toBe(200);
    for (const text of [
      'GitHub is connected',
      '"interruptId":"interrupt-1"',
      'alice-octo',
      'Signed in as Alice',
    ])
      expect(page.body).toContain(text);
    expect(asked).toHaveLength(1);
  });

  it('says that the flow was completed before, and does not notify the waiting page', async () => {
    answer = () => Promise.resolve({ kind: 'already_done', record, cookies: [] });
    const page = await resultOf(kept(await comeBack()));
    expect(page.body).toContain('GitHub is already connected');
    expect(page.body).not.toContain('BroadcastChannel');
  });

  it("shows a denial as the user's choice, not as an error", async () => {
    answer = () => Promise.resolve({ kind: 'denied', record, cookies: [] });
    const page = await resultOf(kept(await comeBack()));
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('<body class="neutral">');
    expect(page.body).toContain('"type":"authorization_denied"');
    expect(page.body).not.toContain('Request <code>');
  });

  it('also shows a denial that has no session', async () => {
    answer = () => Promise.reject(new AppError('flow_denied'));
    const page = await resultOf(kept(await comeBack()));
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('You did not authorize access');
  });

  it.each<[ErrorCode, number]>([
    ['flow_expired', 410],
    ['flow_burnt', 403],
    ['flow_invalid', 400],
    ['flow_wrong_browser', 403],
    ['flow_wrong_account', 403],
  ])('shows a refusal with the id of the request that was refused: %s', async (code, status) => {
    answer = () => Promise.reject(new AppError(code));
    const first = await comeBack();
    expect(first.statusCode).toBe(303);
    expect(first.headers.location).toBe('/oauth2/session-binding');
    const page = await resultOf(kept(first));
    expect(page.statusCode).toEqual(status);
    expect(page.body).toContain('Request <code>req-1</code>');
    expect(page.body).toContain('<a href="/">Return to the assistant</a>');
  });

  it('names the account that is signed in, and offers to switch', async () => {
    answer = () => Promise.reject(new AppError('flow_wrong_account'));
    const page = await resultOf(kept(await comeBack()));
    expect(page.body).toContain('Signed in as Alice');
    expect(page.body).toContain('<a href="/sign-out">Sign out to switch accounts</a>');
  });

  it.each<ErrorCode>(['identity_unavailable', 'flows_unavailable', 'internal_error'])(
    'answers without a redirect when a reload may help: %s',
    async (code) => {
      answer = () => Promise.reject(new AppError(code));
      const page = await comeBack();
      expect(page.statusCode >= 500).toBe(true);
      expect(page.headers.location).toBeUndefined();
    },
  );

  it('answers a client that is not a browser without a redirect', async () => {
    answer = () => Promise.resolve({ kind: 'done', record, cookies: [] });
    expect((await comeBack({})).body).toContain('GitHub is connected');
    answer = () => Promise.reject(new AppError('flow_expired'));
    const refusal = await comeBack({});
    expect(refusal.json()).toMatchObject({ code: 'flow_expired' });
    expect(cookiesOf(refusal)).toEqual([]);
  });

  it('shows a result only to the user it belongs to', async () => {
    answer = () => Promise.resolve({ kind: 'done', record, cookies: [] });
    const cookie = kept(await comeBack());
    await app.close();
    app = await appFor({ sub: 'bob' });
    answer = () => Promise.reject(new AppError('flow_invalid'));
    const page = await resultOf(cookie);
    expect(page.statusCode).toBe(400);
    expect(page.body).toContain('not valid');
    expect(asked).toHaveLength(2);
  });
});
