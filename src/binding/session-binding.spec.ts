import { Logger } from '@nestjs/common';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { AppError } from '../common/errors/index.js';
import type { AppConfig } from '../config/index.js';
import type { CompletionAnswer, IdentityService, User } from '../identity/index.js';
import { FlowCookies, type Flow } from './flow-cookies.js';
import { SessionBinding } from './session-binding.js';
import { CONSENT } from '../identity/testing/flow.js';

const alice: User = { sub: 'alice' };
const sessionUri = 'urn:ietf:params:oauth:request_uri:abc';
const flow: Flow = {
  sub: 'alice',
  sessionUri,
  customState: 'state',
  providerLabel: 'GitHub',
  consent: CONSENT,
  done: false,
  expiresAt: Date.now() + 600_000,
};
const callback = { session_id: sessionUri, state: 'state' };

describe('SessionBinding', () => {
  let completed: string[];
  let answer: () => Promise<CompletionAnswer>;
  let cookies: FlowCookies;
  let binding: SessionBinding;
  let trail: readonly RecordedLine[];

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(() => {
    completed = [];
    answer = () => Promise.resolve({ kind: 'completed' });
    const identity = {
      completeAuthorization: (uri: string, user: User) => {
        completed.push(`${uri} ${user.sub}`);
        return answer();
      },
    } as unknown as IdentityService;
    cookies = new FlowCookies({ flowSecret: 'x'.repeat(32), publicUrl: 'https://a.example' } as AppConfig);
    const recorded = recordedAudit();
    trail = recorded.lines;
    binding = new SessionBinding(identity, cookies, recorded.audit);
  });

  const cookieOf = async (more: Partial<Flow> = {}): Promise<string> =>
    (await cookies.write({ ...flow, ...more })).split(';')[0] ?? '';

  it('completes for the user and the browser that started it', async () => {
    const bound = await binding.bind(alice, callback, await cookieOf());
    expect(bound).toMatchObject({ kind: 'done', flow: { providerLabel: 'GitHub' } });
    expect(completed).toEqual([`${sessionUri} alice`]);
    expect(trail).toMatchObject([{ event: 'bound', user: 'alice', ...flow.consent }]);
  });

  it('marks the flow as done, and completes nothing on a replay', async () => {
    const bound = await binding.bind(alice, callback, await cookieOf());
    const cookie = bound.kind === 'done' ? (bound.cookie.split(';')[0] ?? '') : '';
    expect(await binding.bind(alice, callback, cookie)).toMatchObject({ kind: 'already_done' });
    expect(completed).toHaveLength(1);
  });

  it('completes once for calls at the same time', async () => {
    const cookie = await cookieOf();
    await Promise.all(Array.from({ length: 20 }, () => binding.bind(alice, callback, cookie)));
    expect(completed).toHaveLength(1);
  });

  const other = 'urn:ietf:params:oauth:request_uri:other';

  it('lets no flow and no user stand in for another, at the same time either', async () => {
    const bob: User = { sub: 'bob' };
    const cookieFor = async (sub: string, uri: string): Promise<string> => cookieOf({ sub, sessionUri: uri });
    await Promise.all([
      binding.bind(alice, callback, await cookieFor('alice', sessionUri)),
      binding.bind(alice, { ...callback, session_id: other }, await cookieFor('alice', other)),
      binding.bind(bob, callback, await cookieFor('bob', sessionUri)),
    ]);
    expect(completed.toSorted()).toEqual(
      [`${sessionUri} alice`, `${sessionUri} bob`, `${other} alice`].toSorted(),
    );
  });

  it.each<[string, Partial<Flow>, Readonly<Record<string, unknown>>, User, string, string]>([
    ['another user', {}, {}, { sub: 'bob' }, 'flow_wrong_account', 'flow_of_another_user'],
    ['a state that is missing', {}, { state: undefined }, alice, 'flow_invalid', 'state'],
    ['a state that differs', {}, { state: 'other' }, alice, 'flow_invalid', 'state'],
    ['a state that is longer', {}, { state: 'state2' }, alice, 'flow_invalid', 'state'],
    ['another session URI', {}, { session_id: other }, alice, 'flow_wrong_browser', 'no_flow_cookie'],
    ['a denial', {}, { error: 'access_denied' }, alice, 'flow_denied', 'denied'],
    ['an expired flow', { expiresAt: Date.now() - 5_000 }, {}, alice, 'flow_expired', 'sealed_token_expired'],
  ])('refuses %s, and completes nothing', async (_name, more, change, user, code, reason) => {
    await expect(binding.bind(user, { ...callback, ...change }, await cookieOf(more))).rejects.toMatchObject({
      code,
      reason,
    });
    expect(completed).toEqual([]);
    expect(trail).toMatchObject([{ event: 'binding_refused', user: user.sub, code, reason }]);
  });

  it("refuses a cookie of another flow's under this flow's name", async () => {
    const name = (await cookieOf()).split('=')[0] ?? '';
    const value = (await cookieOf({ sessionUri: other })).split('=')[1] ?? '';
    await expect(binding.bind(alice, callback, `${name}=${value}`)).rejects.toMatchObject({
      code: 'flow_invalid',
      reason: 'session_uri',
    });
  });

  it.each([undefined, '', 'a=b; c'])('refuses a browser without the cookie: %j', async (header) => {
    await expect(binding.bind(alice, callback, header)).rejects.toMatchObject({ code: 'flow_wrong_browser' });
  });

  it('refuses two cookies of the same name', async () => {
    const header = `${await cookieOf()}; ${await cookieOf()}`;
    await expect(binding.bind(alice, callback, header)).rejects.toMatchObject({ code: 'flow_wrong_browser' });
  });

  it('finds its cookie among others', async () => {
    const header = `a=b;${await cookieOf({ sessionUri: other })};  ${await cookieOf()} `;
    await expect(binding.bind(alice, callback, header)).resolves.toMatchObject({ kind: 'done' });
  });

  it('tells that the session has expired when the service rejects it, and passes its failures on', async () => {
    answer = () => Promise.resolve({ kind: 'rejected', awsRequestId: 'aws-1' });
    await expect(binding.bind(alice, callback, await cookieOf())).rejects.toMatchObject({
      code: 'flow_expired',
      reason: 'completion_rejected',
    });
    expect(trail.at(-1)).toMatchObject({ event: 'binding_refused', awsRequestId: 'aws-1' });
    answer = () => Promise.reject(new AppError('identity_unavailable', { reason: 'x' }));
    await expect(binding.bind(alice, callback, await cookieOf())).rejects.toMatchObject({
      code: 'identity_unavailable',
    });
    expect(trail.at(-1)).toMatchObject({ event: 'binding_failed', reason: 'x', tool: 'read_it' });
    answer = () => Promise.resolve({ kind: 'completed' });
    await expect(binding.bind(alice, callback, await cookieOf())).resolves.toMatchObject({ kind: 'done' });
  });
});

describe('the audit of a binding', () => {
  const upstream = Object.assign(new Error('SECRET'), { $metadata: { requestId: 'aws-2' } });
  const failing = (failure: Error) => {
    const cookies = new FlowCookies({
      flowSecret: 'x'.repeat(32),
      publicUrl: 'https://a.example',
    } as AppConfig);
    const identity = { completeAuthorization: () => Promise.reject(failure) };
    const { audit, lines } = recordedAudit();
    const binding = new SessionBinding(identity as unknown as IdentityService, cookies, audit);
    const bind = async (): Promise<unknown> => binding.bind(alice, callback, await cookies.write(flow));
    return { bind, lines };
  };

  it("names AWS's request when the service fails, and none of its text", async () => {
    const { bind, lines } = failing(
      new AppError('identity_unavailable', { reason: 'CompleteResourceTokenAuth', cause: upstream }),
    );
    await expect(bind()).rejects.toMatchObject({ code: 'identity_unavailable' });
    expect(lines).toMatchObject([{ event: 'binding_failed', awsRequestId: 'aws-2', ...flow.consent }]);
    expect(JSON.stringify(lines)).not.toContain('SECRET');
  });

  it('says that a reason is not known', async () => {
    const { bind, lines } = failing(new AppError('identity_misconfigured'));
    await expect(bind()).rejects.toMatchObject({ code: 'identity_misconfigured' });
    expect(lines).toMatchObject([{ event: 'binding_failed', reason: 'unknown' }]);
  });

  it('tells of a failure that is none of the table as that', async () => {
    const { bind, lines } = failing(new Error('broken'));
    await expect(bind()).rejects.toThrow('broken');
    expect(lines).toMatchObject([{ event: 'binding_failed', code: 'internal_error' }]);
  });
});

describe('the flow cookie', () => {
  const at = (publicUrl: string): FlowCookies =>
    new FlowCookies({ flowSecret: 'x'.repeat(32), publicUrl } as AppConfig);

  it('belongs to this host alone over HTTPS, and expires with the flow', async () => {
    const cookie = await at('https://a.example').write({
      ...flow,
      expiresAt: Date.now() + 60_500 - 30 * 60_000,
    });
    expect(cookie).toMatch(
      /^__Host-onbehalf-flow-[0-9a-f]{16}=[\w.-]+; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(await at('https://a.example').write({ ...flow, expiresAt: 0 })).toContain('Max-Age=0;');
  });

  it('works over HTTP on this machine', async () => {
    expect(await at('http://localhost:8000').write(flow)).toMatch(
      /^onbehalf-flow-[0-9a-f]{16}=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/,
    );
  });
});
