import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { toInvocation, type Invocation } from '../../local/lib/invoke.ts';
import { startRole, type RoleProcess } from '../../local/lib/role-process.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { startIssuer, type TestIssuer } from '../support/issuer.ts';
import { tokenOf } from '../support/tokens.ts';
import { connectUrlOf } from '../support/world.ts';

describe("with WORKLOAD_TOKEN_SOURCE=jwt, the identity provider's access token names the user", () => {
  let issuer: TestIssuer;
  let stack: LocalStack;
  let agent: RoleProcess;
  let binding: RoleProcess;

  beforeAll(async () => {
    issuer = await startIssuer();
    stack = await startStack({ trustedIssuers: [issuer] });
    const environment = (role: 'agent' | 'session-binding') => ({
      ...stack.environment(role),
      WORKLOAD_TOKEN_SOURCE: 'jwt',
    });
    agent = await startRole('agent', { environment: environment('agent') });
    binding = await startRole('session-binding', { environment: environment('session-binding') });
  });
  afterAll(async () => {
    await Promise.all([agent.stop(), binding.stop()]);
    await stack.close();
    await issuer.close();
  });

  const headers = (userToken?: string): Record<string, string> => ({
    'x-amzn-oidc-data': tokenOf(stack),
    ...(userToken !== undefined && { 'x-amzn-oidc-accesstoken': userToken }),
  });
  const invoke = async (userToken: string | undefined, body: object): Promise<Invocation> => {
    const init = {
      method: 'POST',
      headers: { ...headers(userToken), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    const answer = await fetch(`${agent.url}/invocations`, init);
    return toInvocation(answer.status, await answer.text());
  };
  /** Goes from the connect link to the session-binding role, and returns the page. */
  const consent = async (
    connectUrl: string,
    userToken: string,
    returningToken = userToken,
  ): Promise<string> => {
    const ticket = new URL(connectUrl).searchParams.get('ticket') ?? '';
    const form = new URLSearchParams({ ticket });
    const redirect = await fetch(`${binding.url}/oauth2/connect`, {
      method: 'POST',
      redirect: 'manual',
      headers: headers(userToken),
      body: form,
    });
    const cookie = redirect.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const browser = new HttpBrowser();
    const page = await browser.submitAndFollow(
      await browser.navigate(redirect.headers.get('location') ?? ''),
      {
        login: 'alice-octo',
      },
    );
    const back = await browser.submitAndFollow(page, { action: 'authorize' }, (url) =>
      url.includes('/oauth2/session-binding'),
    );
    const { pathname, search } = new URL(back.url);
    const returning = { ...headers(returningToken), accept: 'text/html' };
    const bound = await fetch(binding.url + pathname + search, {
      redirect: 'manual',
      headers: { ...returning, cookie },
    });
    const result = bound.headers.getSetCookie().map((each) => each.split(';', 1)[0]);
    const shown = await fetch(binding.url + (bound.headers.get('location') ?? ''), {
      headers: { ...returning, cookie: result.join('; ') },
    });
    return shown.text();
  };

  it('a consent is completed with the token with which it was requested', async () => {
    const token = await issuer.token('alice');
    const paused = await invoke(token, { sessionId: 'jwt', message: 'Who am I on GitHub?' });
    expect(await consent(connectUrlOf(paused), token)).toContain('GitHub is connected');
    const resumed = await invoke(token, {
      sessionId: 'jwt',
      resume: [{ interruptId: 'interrupt-1', status: 'resolved' }],
    });
    expect(resumed.text).toContain('alice-octo');
    expect(Object.keys(stack.agentCoreIdentity.vault.grants())).toEqual([
      `onbehalf-local|jwt:${issuer.issuer}#alice|github-local`,
    ]);
    const calls = stack.agentCoreIdentity.calls.map(({ operation }) => operation);
    expect(calls).toContain('GetWorkloadAccessTokenForJWT');
    expect(calls).not.toContain('GetWorkloadAccessTokenForUserId');
  });

  it('another token, even of the same user, does not complete it', async () => {
    const token = await issuer.token('bob');
    const paused = await invoke(token, { sessionId: 'jwt-2', message: 'Who am I on GitHub?' });
    const before = JSON.stringify(stack.agentCoreIdentity.vault.grants());
    expect(await consent(connectUrlOf(paused), token, await issuer.token('bob'))).toContain('has expired');
    expect(JSON.stringify(stack.agentCoreIdentity.vault.grants())).toBe(before);
  });

  it('a request without such a token is refused, and a forged one gets no provider token', async () => {
    expect((await invoke(undefined, { sessionId: 'none', message: 'hello' })).status).toBe(401);
    const forged = `${(await issuer.token('alice')).slice(0, -6)}AAAAAA`;
    const answer = await invoke(forged, { sessionId: 'forged', message: 'Who am I on GitHub?' });
    expect(answer.interrupts).toEqual([]);
    expect(answer.raw).not.toContain('alice-octo');
  });
});
