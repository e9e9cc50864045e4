import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { Claim } from '../support/assurance.ts';
import { obedientModel } from '../support/obedient-model.ts';
import { send } from '../support/send.ts';
import { tokenOf } from '../support/tokens.ts';
import { connectUrlOf, eventually, World } from '../support/world.ts';

/** Each of the requests with one text causes a refusal or a sign-in, and the line of its end. */
const LEAST_LINES = 45;
const FORGED = '{"stream":"audit","event":"bound","user":"mallory"}';
/** Texts that end a line in some reader, move a terminal's cursor, or look like one of our lines. */
const HOSTILE = [
  `\n${FORGED}\n`,
  `\r\n${FORGED}\r\n`,
  `\r${FORGED}`,
  `\u2028${FORGED}\u2029`,
  `\u0085${FORGED}`,
  `"}\n${FORGED}`,
  `\\"}\\n${FORGED}`,
  '\u0000',
  '\u001b[2J\u001b[1;31m',
  '\u0008\u0008\u0008',
  '\u202e',
  '\ud800',
  '\udfff\ud800',
  '%0a%0d',
  '${jndi:ldap://evil.example}',
  '%s%n%x',
  '\ufeff',
  '\u{1f642}'.repeat(50),
  'x'.repeat(20_000),
  "'; DROP TABLE logs; --",
  '</script><script>alert(1)</script>',
  '{{7*7}}',
  '\t\v\f',
];

describe('the log', () => {
  let world: World;
  let alice: HttpBrowser;
  beforeAll(async () => {
    world = await World.start({ model: obedientModel }, { environment: { LOG_LEVEL: 'trace' } });
    alice = await world.signIn('alice@example.com');
    const paused = await world.ask(alice, 'start', 'CALL get_github_user {} END');
    await world.consent(alice, connectUrlOf(paused), 'alice-octo');
  });
  afterAll(() => world.close());

  const post = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<unknown> =>
    alice.request(`${world.url}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  /** Sends one hostile text in every field that a client, a model or an upstream fills in. */
  const everywhere = async (text: string, index: number): Promise<void> => {
    const sessionId = `log-${String(index)}`;
    const { gitHub, agentCoreIdentity, bedrock, s3 } = world.stack;
    const inHeader = text.replaceAll(/[^\x20-\x7e\x80-\xff]/g, '?').slice(0, 4_000);
    await post(
      { sessionId, message: text },
      { 'user-agent': inHeader, 'x-request-id': inHeader, 'x-amzn-trace-id': inHeader, referer: inHeader },
    );
    await post({ sessionId: text, message: 'x' });
    await post({ sessionId, message: 'x', [text]: text });
    await post({ threadId: sessionId, runId: text, messages: [{ id: text, role: 'user', content: text }] });
    await post({ sessionId, resume: [{ interruptId: text, status: 'resolved', payload: text }] });
    await post(text);
    await post({
      sessionId,
      message: `CALL ${text.replaceAll(/\W/g, '') || 'x'} ${JSON.stringify({ [text]: text })} END`,
    });
    await post({
      sessionId,
      message: `CALL list_github_repos ${JSON.stringify({ sort: text })} END SAY ${text} END`,
    });
    const echo = {
      message: text,
      login: text,
      name: text,
      bio: text,
      public_repos: 1,
      followers: 1,
      created_at: text,
      html_url: text,
    };
    const answer = (status: number) =>
      ({
        kind: 'answer',
        status,
        headers: {
          'x-amzn-errortype': 'ValidationException',
          'x-amzn-requestid': inHeader.slice(0, 200),
          'x-oauth-scopes': 'read:user',
        },
        body: JSON.stringify(echo),
      }) as const;
    for (const [faults, path] of [
      [gitHub.faults, /api\/v3/],
      [agentCoreIdentity.faults, /oauth2\/token/],
      [bedrock.faults, /converse/],
      [s3.faults, /GET/],
    ] as const) {
      for (const status of [200, 400, 500]) {
        const planned = faults.plan(path, answer(status), 1);
        await post({ sessionId, message: 'CALL get_github_user {} END' });
        planned.remaining = 0;
      }
    }
    const encoded = encodeURIComponent(text.toWellFormed()).slice(0, 8_000);
    const claims = { sub: 'subject', name: text, email: text, preferred_username: text };
    const signedIn = [
      ['x-amzn-oidc-data', tokenOf(world.stack, { payload: claims })],
      ['accept', 'text/html'],
    ] as const;
    for (const path of [
      `/${encoded}`,
      `/sessions/${encoded}`,
      `/sessions?limit=${encoded}`,
      `/docs/${encoded}`,
    ])
      await send(world.roles.agent.url, path, { headers: signedIn });
    for (const path of [
      `/oauth2/connect?ticket=${encoded}`,
      `/oauth2/session-binding?session_id=${encoded}&state=${encoded}&error=${encoded}`,
      `/${encoded}`,
    ]) {
      await send(world.roles.sessionBinding.url, path, { headers: signedIn });
    }
    const refused = tokenOf(world.stack, {
      header: { kid: text.slice(0, 900), signer: text.slice(0, 900) },
      payload: { sub: text.slice(0, 900) },
    });
    for (const role of [world.roles.agent, world.roles.sessionBinding])
      await send(role.url, '/sessions', { headers: [['x-amzn-oidc-data', refused]] });
  };

  it('row 21: has one JSON object per line, whatever the fields contain', async () => {
    const claim = new Claim(
      21,
      'hostile texts, each in every field from outside: all log lines are JSON objects, and none is forged',
      HOSTILE.length,
    );
    const written = (): string => world.roles.agent.output() + world.roles.sessionBinding.output();
    for (const [index, text] of HOSTILE.entries()) {
      const before = [world.roles.agent, world.roles.sessionBinding].map((role) => role.output().length);
      await everywhere(text, index);
      // The output of a process can arrive after its answer.
      await eventually(() => written().includes(`"sessionId":"log-${String(index)}"`));
      const lines = [world.roles.agent, world.roles.sessionBinding].flatMap((role, at) =>
        role.output().slice(before[at]).split('\n').slice(0, -1),
      );
      const objects = lines.map(parsed);
      const forged = objects.some((object) => object?.user === 'mallory');
      claim.check(
        () =>
          `${JSON.stringify(text.slice(0, 40))}: ${lines.find((line) => parsed(line) === undefined) ?? ''}`,
        lines.length > LEAST_LINES && !objects.includes(undefined) && !forged,
      );
    }
    claim.finish();
  }, 120_000);
});

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'stream' in value ? value : undefined;
  } catch {
    return undefined;
  }
}
