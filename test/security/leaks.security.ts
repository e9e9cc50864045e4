import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fault, FaultSwitch } from '../../local/lib/faults.ts';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { Claim } from '../support/assurance.ts';
import { tokenOf } from '../support/tokens.ts';
import { send } from '../support/send.ts';
import { subjectOf, World } from '../support/world.ts';
import { Needles } from './encodings.ts';

const ALICE = 'alice@example.com';
const MESSAGE = 'the-message-of-canaries-4711';
const ACCESS_TOKEN = 'canary-access-token-of-the-identity-provider';

interface Part {
  readonly name: string;
  readonly faults: FaultSwitch;
  readonly path: RegExp;
}

describe('secrets', () => {
  let world: World;
  let alice: HttpBrowser;
  let number = 0;
  /** All answers to any client: bodies, pages, events, headers. */
  const answers: string[] = [];
  const sentTokens: string[] = [];
  /** Links with tickets belong to the user and must not appear anywhere else. */
  const tickets = new Set<string>();

  beforeAll(async () => {
    world = await World.start({}, { environment: { LOG_LEVEL: 'trace' } });
    alice = await world.signIn(ALICE);
  });
  afterAll(() => world.close());

  const parts = (): readonly Part[] => {
    const { agentCoreIdentity, bedrock, s3, gitHub, loadBalancer } = world.stack;
    return [
      {
        name: 'AgentCore Identity, workload token',
        faults: agentCoreIdentity.faults,
        path: /GetWorkloadAccessToken/,
      },
      {
        name: 'AgentCore Identity, resource token',
        faults: agentCoreIdentity.faults,
        path: /POST \/identities\/oauth2\/token/,
      },
      { name: 'AgentCore Identity, completion', faults: agentCoreIdentity.faults, path: /Complete/ },
      { name: 'Bedrock', faults: bedrock.faults, path: /converse-stream/ },
      { name: 'S3, reading', faults: s3.faults, path: /GET/ },
      { name: 'S3, writing', faults: s3.faults, path: /PUT/ },
      { name: "GitHub's API", faults: gitHub.faults, path: /\/api\/v3\// },
      { name: "GitHub's token endpoint", faults: gitHub.faults, path: /access_token/ },
      { name: 'the key host', faults: loadBalancer.keyFaults, path: /./ },
    ];
  };

  /** Upstreams that repeat secrets in their errors, as real services have done. */
  const faultsWith = (echo: string): readonly Fault[] => {
    const json = (status: number, type: string): Fault => ({
      kind: 'answer',
      status,
      headers: {
        'x-amzn-errortype': type,
        'x-oauth-scopes': 'repo',
        'www-authenticate': `Bearer error="${echo.slice(0, 400)}"`,
      },
      body: JSON.stringify({
        message: echo,
        Message: echo,
        error: echo,
        error_description: echo,
        login: echo,
        bio: echo,
        name: echo,
      }),
    });
    return [
      json(400, 'ValidationException'),
      json(401, 'UnauthorizedException'),
      json(403, 'AccessDeniedException'),
      json(404, 'ResourceNotFoundException'),
      json(409, 'ConflictException'),
      json(429, 'ThrottlingException'),
      json(500, 'InternalServerException'),
      json(503, 'ServiceUnavailable'),
      json(200, 'x'),
      { kind: 'answer', status: 200, body: `<html>${echo}</html>` },
      {
        kind: 'answer',
        status: 302,
        headers: { location: `https://evil.example/?${encodeURIComponent(echo.slice(0, 400))}` },
      },
      { kind: 'answer', status: 500, body: `{"message": "${echo}` },
      { kind: 'reset' },
      { kind: 'delay', ms: 20 },
    ];
  };

  /** Plays the whole flow as far as possible, and keeps all answers. */
  const play = async (): Promise<void> => {
    const sessionId = `leak-${String((number += 1))}`;
    const paused = await world.ask(alice, sessionId, `Who am I on GitHub? And list my repos. ${MESSAGE}`);
    answers.push(paused.raw);
    for (const { metadata } of paused.interrupts) {
      if (metadata.connectUrl === undefined) continue;
      tickets.add(new URL(metadata.connectUrl).searchParams.get('ticket') ?? '');
      const page = await world.consent(alice, metadata.connectUrl, 'alice-octo').catch(() => undefined);
      if (page !== undefined) answers.push(page.text, headersOf(page.headers));
    }
    if (paused.interrupts.length > 0)
      answers.push(
        (
          await world.resume(
            alice,
            sessionId,
            paused.interrupts.map(({ id }) => id),
          )
        ).raw,
      );
    for (const path of [
      `/sessions/${sessionId}`,
      '/sessions',
      '/docs',
      `/oauth2/session-binding?session_id=x&state=${MESSAGE}`,
    ]) {
      const { text, headers } = await alice.request(world.url + path);
      answers.push(text, headersOf(headers));
    }
    const token = tokenOf(world.stack, { payload: { sub: subjectOf(ALICE) } });
    sentTokens.push(token);
    const direct = await send(world.roles.agent.url, '/sessions', {
      headers: [
        ['x-amzn-oidc-data', token],
        ['x-amzn-oidc-accesstoken', ACCESS_TOKEN],
      ],
    });
    answers.push(direct.text, JSON.stringify(direct.headers));
  };

  /** The descriptions of all secrets so far, by the secret. */
  const known = new Map<string, string>();
  const collect = async (): Promise<void> => {
    const { agentCoreIdentity, gitHub } = world.stack;
    const { FLOW_SECRET = '', AWS_SECRET_ACCESS_KEY = '' } = world.stack.environment('agent');
    const cookies = await alice.jar.getCookies(world.url);
    const found: readonly (readonly [secret: string, what: string])[] = [
      ...agentCoreIdentity.vault.secrets().map((secret) => [secret, 'a token in the vault'] as const),
      ...gitHub.grants.accessTokens().map((secret) => [secret, "GitHub's access token"] as const),
      ...cookies.map(({ key, value }) => [value, `the cookie ${key}`] as const),
      ...sentTokens.map(
        (token) => [token.split('.')[2] ?? '', 'the signature of a token that was sent'] as const,
      ),
      [ACCESS_TOKEN, "the identity provider's access token"],
      [FLOW_SECRET, 'FLOW_SECRET'],
      [AWS_SECRET_ACCESS_KEY, 'the AWS secret key'],
      ['local-stack-github-client-secret', "the OAuth client's secret"],
    ];
    for (const [secret, what] of found) known.set(secret, what);
  };

  it('row 10: appear only where they belong, whatever fails and whatever an upstream repeats', async () => {
    await play();
    // Without faults the flow works, so there are secrets that can leak.
    expect(world.stack.gitHub.grants.accessTokens().length).toBeGreaterThan(0);
    let faulted = 0;
    for (const { name, faults, path } of parts()) {
      await collect();
      const latest = [...known.keys()].filter((secret) => !secret.startsWith('local-stack')).slice(-40);
      for (const fault of faultsWith(latest.join(' '))) {
        const planned = faults.plan(path, fault, 2);
        // Each round needs a new consent, so that every part is used.
        world.stack.agentCoreIdentity.vault.reset();
        if (name === 'the key host') {
          // One that has failed is not asked for a second.
          await delay(1_000);
          world.stack.loadBalancer.signer.rotate();
        }
        await play();
        await collect();
        faulted += planned.met > 0 ? 1 : 0;
        planned.remaining = 0;
        world.stack.loadBalancer.keyFaults.clear();
      }
    }
    expect(faulted).toBeGreaterThan(100);
    const places: Readonly<Record<string, string>> = {
      "the agent role's log": world.roles.agent.output(),
      "the session-binding role's log": world.roles.sessionBinding.output(),
      'the requests to the model': JSON.stringify(world.stack.bedrock.requests),
      'what S3 keeps': world.stack.s3.store
        .all()
        .map(({ key, body }) => key + body.toString('utf8'))
        .join('\n'),
      'the answers to clients': answers.join('\n'),
    };
    const claim = new Claim(
      10,
      'secrets × places where they might appear, each in plain, base64, hex and URL-encoded form: none found',
      500,
    );
    const needles = new Needles();
    for (const secret of known.keys()) needles.add(secret);
    for (const [place, text] of Object.entries(places)) {
      const found = needles.foundIn(text);
      for (const [secret, what] of known) {
        claim.check(() => `${what} in ${place}`, !found.has(secret));
      }
    }
    for (const ticket of tickets) {
      for (const place of Object.keys(places).filter((each) => each !== 'the answers to clients')) {
        claim.check(`a ticket in ${place}`, !(places[place] ?? '').includes(ticket));
      }
    }
    for (const place of ["the agent role's log", "the session-binding role's log"])
      claim.check(`the message in ${place}`, !(places[place] ?? '').includes(MESSAGE));
    claim.finish();
  }, 180_000);
});

/** A browser gets its own cookies in one header, which only this browser receives. */
function headersOf(headers: Headers): string {
  return JSON.stringify([...headers].filter(([name]) => name !== 'set-cookie'));
}
