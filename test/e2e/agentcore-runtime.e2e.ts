import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { USERS } from '../../local/identity-provider/users.ts';
import { consentUpToBinding } from '../../local/lib/consent.ts';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { toInvocation, type Invocation } from '../../local/lib/invoke.ts';
import { startRole, type RoleProcess } from '../../local/lib/role-process.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { auditLines } from '../support/audit.ts';
import { startIssuer, type TestIssuer } from '../support/issuer.ts';
import { tokenOf } from '../support/tokens.ts';
import { comesToHold, connectUrlOf } from '../support/world.ts';

/** docs/agentcore-runtime.md: no load balancer in front of the agent role, and the user's own access token in each request. */
describe('on AgentCore Runtime', () => {
  let issuer: TestIssuer;
  let stack: LocalStack;
  let agent: RoleProcess;
  let binding: RoleProcess;
  const alice = USERS[0]?.sub ?? '';
  const bob = USERS[1]?.sub ?? '';

  beforeAll(async () => {
    issuer = await startIssuer();
    stack = await startStack();
    const environment = {
      ...stack.environment('agent'),
      SIGN_IN: 'bearer',
      ALB_ISSUER: issuer.issuer,
      ALB_CLIENT_ID: issuer.audience,
    };
    agent = await startRole('agent', { environment });
    binding = await startRole('session-binding', { environment: stack.environment('session-binding') });
    stack.loadBalancer.register({ agent: [agent.url], 'session-binding': [binding.url] });
  });
  afterAll(async () => {
    await Promise.all([agent.stop(), binding.stop()]);
    await stack.close();
    await issuer.close();
  });

  /** The request that Runtime makes of `InvokeAgentRuntime`. */
  const invoke = async (headers: Readonly<Record<string, string>>, body: object): Promise<Invocation> => {
    const answer = await fetch(`${agent.url}/invocations`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        'x-amzn-bedrock-agentcore-runtime-session-id': '7c3d3c1e-5d1c-4b7e-9a51-0c6f2d7e8a90',
        ...headers,
      },
      body: JSON.stringify(body),
    });
    return toInvocation(answer.status, await answer.text());
  };
  const as = async (sub: string): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await issuer.token(sub)}`,
  });
  const ask = { sessionId: 'runtime', message: 'Who am I on GitHub?' };

  it('answers the health check on the port and in the form of the contract', async () => {
    const answer = await fetch(`${agent.url}/ping`);
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as Record<string, unknown>;
    expect(Object.keys(body).sort()).toEqual(['status', 'time_of_last_update']);
    expect(body.status).toBe('Healthy');
    expect(Math.abs(Number(body.time_of_last_update) - Date.now() / 1000)).toBeLessThan(3600);
  });

  it("accepts a user's own token, asks for consent at the load balancer, and resumes", async () => {
    const paused = await invoke(await as(alice), ask);
    const url = connectUrlOf(paused);
    expect(url.startsWith(`${stack.loadBalancer.url}/oauth2/connect?`)).toBe(true);
    const browser = new HttpBrowser();
    await browser.signIn(stack.loadBalancer.url, USERS[0]?.username ?? '');
    const bound = await browser.navigate(await consentUpToBinding(browser, url, 'alice-octo'));
    expect(bound.text).toContain('GitHub is connected');
    const resume = [{ interruptId: paused.interrupts[0]?.id, status: 'resolved' }];
    expect((await invoke(await as(alice), { sessionId: 'runtime', resume })).text).toContain('alice-octo');
    const trail = ['signed_in', 'consent_asked', 'token_fetched', 'tool_called'];
    const isWhole = (): boolean =>
      trail.every((name) => auditLines(agent).some(({ event }) => event === name));
    expect(await comesToHold(isWhole)).toBe(true);
  });

  it('keeps users separate: another user can use neither the link nor the conversation', async () => {
    const paused = await invoke(await as(bob), { ...ask, sessionId: 'of-bob' });
    const browser = new HttpBrowser();
    await browser.signIn(stack.loadBalancer.url, USERS[0]?.username ?? '');
    const page = await browser.navigate(connectUrlOf(paused));
    expect(page.status).toBe(403);
    expect(page.text).not.toContain('<form');
    const others = await fetch(`${agent.url}/sessions/of-bob`, { headers: await as(alice) });
    expect(others.status).toBe(404);
  });

  it('refuses every request without such a token, whatever other credentials it has', async () => {
    const identities: Record<string, string>[] = [
      {},
      { 'x-amzn-oidc-data': tokenOf(stack) },
      { 'x-amzn-bedrock-agentcore-runtime-user-id': alice },
      { workloadaccesstoken: 'x' },
      { authorization: `Basic ${await issuer.token(alice)}` },
      { authorization: `Bearer ${(await issuer.token(alice)).slice(0, -6)}AAAAAA` },
      { authorization: `Bearer ${await issuer.token(alice, 'another-client')}` },
    ];
    for (const headers of identities) expect((await invoke(headers, ask)).status).toBe(401);
  });

  it('does not accept such a token at the session-binding role', async () => {
    const answer = await fetch(`${binding.url}/oauth2/connect?ticket=x`, { headers: await as(alice) });
    expect(answer.status).toBe(401);
  });
});
