import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import type { Invocation } from '../../local/lib/invoke.ts';
import { connectAlice } from '../support/connected-user.ts';
import { send, sendRaw, type Received } from '../support/send.ts';
import { connectUrlOf, eventually, World } from '../support/world.ts';

interface PresetJson {
  readonly name: string;
  readonly isOn: boolean;
  readonly met: number;
}
interface StateJson {
  readonly parts: readonly { readonly id: string; readonly requests: number }[];
  readonly faults: readonly {
    readonly id: string;
    readonly part: string;
    readonly path: string;
    readonly remaining: number | null;
    readonly met: number;
    readonly plannedBy?: string;
  }[];
  readonly presets: readonly PresetJson[];
}

const JSON_BODY = ['content-type', 'application/json'] as const;
const GITHUB_QUESTION = 'Who am I on GitHub?';
const LIST = 'List my repositories on GitHub';

describe('the fault board', () => {
  let world: World;
  let number = 0;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
  beforeEach(() => world.reset());

  const board = (
    method: string,
    path: string,
    body?: string,
    headers: readonly (readonly [string, string])[] = [],
  ): Promise<Received> =>
    send(world.stack.faultBoard.url, path, {
      method,
      headers: [...(body === undefined ? [] : [JSON_BODY]), ...headers],
      ...(body !== undefined && { body }),
    });
  const state = async (): Promise<StateJson> => JSON.parse((await board('GET', '/faults')).text) as StateJson;
  const sentenceIn = ({ text }: Received): string => (JSON.parse(text) as { message: string }).message;
  const preset = async (name: string): Promise<PresetJson | undefined> =>
    (await state()).presets.find((each) => each.name === name);
  const session = (): string => `board-${String((number += 1))}`;
  const ask = (browser: HttpBrowser, message = GITHUB_QUESTION): Promise<Invocation> =>
    world.ask(browser, session(), message);

  it('switches a preset on and off, and the roles fail and recover', async () => {
    const alice = await world.signIn('alice@example.com');
    expect((await board('PUT', '/faults/presets/stop-bedrock')).status).toBe(200);
    expect((await ask(alice, 'hello')).last).toMatchObject({ type: 'RUN_ERROR', code: 'model_unavailable' });
    const on = await preset('stop-bedrock');
    expect(on?.isOn).toBe(true);
    expect(on?.met).toBeGreaterThan(0);
    expect((await board('DELETE', '/faults/presets/stop-bedrock')).status).toBe(204);
    expect(await preset('stop-bedrock')).toMatchObject({ isOn: false, met: 0 });
    expect((await ask(alice, 'hello')).last).toMatchObject({ type: 'RUN_FINISHED' });
  });

  it('plans a fault for a number of requests, counts them, and removes it', async () => {
    const alice = await world.signIn('alice@example.com');
    const fault = { kind: 'answer', status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException' } };
    const plan = { part: 'bedrock', operation: 'ConverseStream', fault, times: 50 };
    const planned = await board('POST', '/faults', JSON.stringify(plan));
    expect(planned.status).toBe(201);
    const { id } = JSON.parse(planned.text) as { id: string };
    expect((await ask(alice, 'hello')).last).toMatchObject({ code: 'model_throttled' });
    const [listed] = (await state()).faults;
    expect(listed).toMatchObject({ id, part: 'bedrock' });
    expect(listed?.met).toBeGreaterThan(0);
    expect((listed?.remaining ?? 0) + (listed?.met ?? 0)).toBe(50);
    expect((await board('DELETE', `/faults/${id}`)).status).toBe(204);
    expect((await board('DELETE', `/faults/${id}`)).status).toBe(404);
    expect((await ask(alice, 'hello')).last).toMatchObject({ type: 'RUN_FINISHED' });
  });

  it('plans a preset once, and ends everything at once', async () => {
    await board('PUT', '/faults/presets/flows-hidden');
    await board('PUT', '/faults/presets/flows-hidden');
    await board('POST', '/faults', JSON.stringify({ part: 's3', path: '^PUT', fault: { kind: 'hang' } }));
    expect((await state()).faults).toMatchObject([
      { part: 's3', plannedBy: 'flows-hidden', remaining: null },
      { part: 's3', path: '^PUT', remaining: null },
    ]);
    expect((await board('DELETE', '/faults')).status).toBe(204);
    expect((await state()).faults).toEqual([]);
  });

  it('counts the requests of every part that can fail', async () => {
    await connectAlice(world);
    const { loadBalancer, s3 } = world.stack;
    const before = s3.faults.requests;
    const { parts } = await state();
    expect(parts.map(({ id }) => id)).toEqual([
      'load-balancer',
      'load-balancer-keys',
      'identity-provider',
      'agentcore-identity',
      'github',
      'bedrock',
      's3',
      'account',
    ]);
    expect(parts).toContainEqual(
      expect.objectContaining({ id: 'load-balancer', requests: loadBalancer.faults.requests }),
    );
    // The roles tell S3 by themselves that they are alive.
    const shown = parts.find(({ id }) => id === 's3')?.requests ?? 0;
    expect(shown).toBeGreaterThanOrEqual(Math.max(before, 1));
    expect(shown).toBeLessThanOrEqual(s3.faults.requests);
  });

  it("plays GitHub's own switches: a revoked token needs a new consent, and a rate limit is reported", async () => {
    const alice = await connectAlice(world, GITHUB_QUESTION);
    const limit = await board(
      'POST',
      '/faults/actions/github/limit-rate',
      '{"login":"alice-octo","seconds":60}',
    );
    expect(limit.status).toBe(204);
    expect((await ask(alice)).results).toMatchObject([{ error: { code: 'provider_rate_limited' } }]);
    await board('POST', '/faults/actions/github/revoke-tokens', '{"login":"alice-octo"}');
    expect((await ask(alice)).interrupts).toMatchObject([{ reason: 'authorization_required' }]);
  });

  /** Each act begins with a switch, and returns the text that its user sees. */
  const opened = async (name: string): Promise<string> => {
    const alice = await world.signIn('alice@example.com');
    const url = connectUrlOf(await ask(alice));
    await board('PUT', `/faults/presets/${name}`);
    return (await alice.navigate(url)).text;
  };
  const consented = async (name: string): Promise<string> => {
    const alice = await world.signIn('alice@example.com');
    const url = connectUrlOf(await ask(alice));
    await board('PUT', `/faults/presets/${name}`);
    return (await world.consent(alice, url, 'alice-octo')).text;
  };
  const asked = async (name: string): Promise<string> => {
    const alice = await connectAlice(world, GITHUB_QUESTION);
    await board('PUT', `/faults/presets/${name}`);
    return (await ask(alice)).raw;
  };
  const continued = async (name: string): Promise<string> => {
    const alice = await world.signIn('alice@example.com');
    await world.ask(alice, 'continued', 'hello');
    await board('PUT', `/faults/presets/${name}`);
    return (await alice.request(`${world.url}/sessions/continued`)).text;
  };
  const signedIn = async (name: string): Promise<string> => {
    await board('PUT', `/faults/presets/${name}`);
    return (await new HttpBrowser().signIn(world.url, 'bob@example.com')).text;
  };
  const looped = async (name: string): Promise<string> => {
    const alice = await world.signIn('alice@example.com');
    await board('PUT', `/faults/presets/${name}`);
    await world.consent(alice, connectUrlOf(await world.ask(alice, 'loop', LIST)), 'alice-octo');
    return (await world.resume(alice, 'loop', ['interrupt-1'])).raw;
  };

  it.each<[string, (name: string) => Promise<string>, string, string | undefined]>([
    ['session-rejected', consented, 'This authorization has expired', '"completion_rejected"'],
    ['identity-misconfigured', consented, 'Authorization service misconfigured', '"binding_failed"'],
    ['other-authorization-host', asked, 'identity_misconfigured', '"authorization_url_of_another_origin"'],
    ['identity-throttled', asked, 'identity_unavailable', '"identity_call_failed"'],
    ['flows-unreachable', opened, 'Authorizations cannot be checked', '"flow_ledger_failed"'],
    ['flow-unreadable', opened, 'Authorizations cannot be checked', '"flow_unreadable"'],
    ['flows-hidden', opened, 'This authorization has expired', '"object_hidden"'],
    ['conversation-unreadable', continued, 'session_unreadable', '"object_unreadable"'],
    ['fewer-scopes', looped, 'authorization_required', '"consent_asked"'],
    ['model-throttled', asked, 'model_throttled', '"model_throttled"'],
    ['keys-unreachable', asked, 'sign_in_keys_unavailable', '"key_fetch_failed"'],
    ['sign-in-failing', signedIn, 'The identity provider could not sign you in', undefined],
    ['stop-agentcore-identity', asked, 'identity_unavailable', '"identity_call_failed"'],
    ['stop-github', asked, 'provider_unavailable', '"provider_unavailable"'],
    ['stop-s3', asked, 'sessions_unavailable', '"sessions_call_failed"'],
  ])('plays %s', async (name, act, shown, logged) => {
    const roles = [world.roles.agent, world.roles.sessionBinding];
    const before = roles.map((role) => role.output().length);
    expect(await act(name)).toContain(shown);
    if (logged === undefined) return;
    await eventually(() => roles.some((role, index) => role.output().slice(before[index]).includes(logged)));
    // A key host that has failed is not asked for a second.
    if (name === 'keys-unreachable') await delay(1_000);
  });

  it('has every preset of docs/operations.md, and no other', async () => {
    const operations = readFileSync('docs/operations.md', 'utf8');
    const section = /## The fault board\n([^]*?)\n## /.exec(operations)?.[1] ?? '';
    const inTable = [...section.matchAll(/^\| `([a-z0-9-]+)` +\|/gm)].map(([, name]) => name);
    const played = [...operations.matchAll(/`play\s([a-z0-9-]+)`/g)].map(([, name]) => name);
    const names = (await state()).presets.map(({ name }) => name);
    expect([...new Set([...inTable, ...played])].sort()).toEqual([...names].sort());
  });

  it.each([
    ['{', 'The body is not JSON.'],
    ['[]', 'The body is not accepted'],
    ['{"part":"s3","path":"."}', 'fault is not accepted'],
    ['{"part":"s3","path":".","fault":{"kind":"boom"}}', 'fault.kind is not accepted'],
    ['{"part":"s3","path":".","fault":{"kind":"delay"}}', 'fault.ms is not accepted'],
    ['{"part":"s3","path":".","fault":{"kind":"hang","ms":1}}', 'fault is not accepted'],
    ['{"part":"s3","path":".","fault":{"kind":"hang"},"times":0}', 'times is not accepted'],
    ['{"part":"s3","path":"(","fault":{"kind":"hang"}}', 'path is not a regular expression.'],
    ['{"part":"s3","fault":{"kind":"hang"}}', 'Give a path or an operation.'],
    ['{"part":"s3","path":".","operation":"GetObject","fault":{"kind":"hang"}}', 'not both.'],
    ['{"part":"s3","operation":"Fly","fault":{"kind":"hang"}}', 'Known: GetObject'],
    ['{"part":"s4","path":".","fault":{"kind":"hang"}}', 'There is no part of this name.'],
  ])('refuses the fault %s with a sentence', async (body, sentence) => {
    const answer = await board('POST', '/faults', body);
    expect([400, 404]).toContain(answer.status);
    expect(sentenceIn(answer)).toContain(sentence);
    expect((await state()).faults).toEqual([]);
  });

  it.each([
    ['PUT', '/faults/presets/no-such', undefined, 404, 'There is no such preset'],
    ['POST', '/faults/actions/s3/fly', undefined, 404, 's3 has no such action'],
    ['POST', '/faults/actions/github/revoke-tokens', '{}', 400, 'login must be one of alice-octo'],
    ['POST', '/faults/actions/github/limit-rate', '{"login":"alice-octo"}', 400, 'seconds is missing.'],
    ['POST', '/faults/actions/load-balancer-keys/rotate-key', '{"login":"x"}', 400, 'does not take a login'],
    ['PATCH', '/faults', undefined, 404, 'The fault board has no such address.'],
    ['POST', '/faults', 'x'.repeat(70_000), 413, 'The body is larger than'],
  ])('refuses %s %s with a sentence', async (method, path, body, status, sentence) => {
    const answer = await board(method, path, body);
    expect(answer.status).toBe(status);
    expect(sentenceIn(answer)).toContain(sentence);
  });

  it.each<[string, readonly (readonly [string, string])[]]>([
    ['a page of another site', [['sec-fetch-site', 'cross-site']]],
    ['a page on another port of this machine', [['sec-fetch-site', 'same-site']]],
    ['an old browser, with its origin', [['origin', 'https://attacker.example']]],
    ['a page without an origin', [['origin', 'null']]],
  ])('refuses a request of %s', async (_name, headers) => {
    for (const path of ['/faults/presets/stop-s3', '/page/presets/stop-s3/on']) {
      const method = path.startsWith('/page') ? 'POST' : 'PUT';
      const answer = await board(method, path, undefined, headers);
      expect(answer.status).toBe(403);
      expect(answer.text).toContain('no requests from pages of other sites');
    }
    expect((await board('GET', '/faults', undefined, headers)).status).toBe(403);
    expect(await preset('stop-s3')).toMatchObject({ isOn: false });
  });

  it('answers under no other name of this machine, and does not take a form for JSON', async () => {
    const { url } = world.stack.faultBoard;
    const under = (host: string): Promise<string> =>
      sendRaw(url, `GET / HTTP/1.1\r\nhost: ${host}:${new URL(url).port}\r\nconnection: close\r\n\r\n`);
    expect(await under('localhost')).toMatch(/^HTTP\/1\.1 200/);
    expect(await under('rebound.example')).toMatch(/^HTTP\/1\.1 403/);
    const form = await send(url, '/faults', {
      method: 'POST',
      headers: [['content-type', 'text/plain']],
      body: '{"part":"s3","path":".","fault":{"kind":"hang"}}',
    });
    expect(form.status).toBe(415);
  });

  it('has a page without scripts, with a switch for each preset that tells its state and keeps the focus', async () => {
    const before = await board('GET', '/');
    expect(before.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(before.text).not.toContain('<script');
    const names = (await state()).presets.map(({ name }) => name);
    const switches = [
      ...before.text.matchAll(/id="preset-([a-z0-9-]+)" role="switch" aria-checked="false"/g),
    ];
    expect(switches.map(([, name]) => name).sort()).toEqual([...names].sort());

    const own: [string, string] = ['origin', world.stack.faultBoard.url];
    const pressed = await board('POST', '/page/presets/stop-s3/on', undefined, [own]);
    expect(pressed).toMatchObject({ status: 303, headers: { location: '/?at=preset-stop-s3' } });
    const after = await board('GET', '/?at=preset-stop-s3');
    expect(after.text).toMatch(
      /id="preset-stop-s3" role="switch" aria-checked="true" [^>]* autofocus>On<\/button>/,
    );
    expect(after.text).toContain('1 fault planned');
    await board('POST', '/page/clear', undefined, [own]);
    expect((await state()).faults).toEqual([]);
  });
});
