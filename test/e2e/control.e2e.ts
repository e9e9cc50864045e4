import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { connectAlice } from '../support/connected-user.ts';
import { World } from '../support/world.ts';

const WEEK_MS = 7 * 24 * 3_600_000;

describe('the whole stack over HTTP, under /__stack', () => {
  let world: World;
  const at = (path: string): string => `${world.stack.faultBoard.url}/__stack${path}`;
  const send = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(at(path), {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
  const json = async (answer: Promise<Response>): Promise<Record<string, unknown>> =>
    (await (await answer).json()) as Record<string, unknown>;

  beforeAll(async () => {
    world = await World.start({ inspect: true });
  });
  afterAll(() => world.close());
  beforeEach(() => world.reset());

  it('tells the addresses, the users, and the environment of every program', async () => {
    const { parts, users, environment } = await json(send('GET', ''));
    const { s3, agentCoreIdentity } = world.stack;
    expect(parts).toMatchObject({ s3: s3.url, agentCoreIdentity: agentCoreIdentity.url });
    expect(users).toContainEqual(expect.objectContaining({ username: 'alice@example.com' }));
    expect(environment).toMatchObject({
      agent: { ROLE: 'agent' },
      aws: { AWS_DEFAULT_REGION: 'eu-central-1', AWS_ENDPOINT_URL_S3: s3.url },
    });
    expect(environment).not.toHaveProperty('aws.ROLE');
    expect(environment).toMatchObject({
      'aws-sample': {
        AWS_ENDPOINT_URL_S3: s3.url,
        SESSION_BINDING_URL: `${world.url}/oauth2/session-binding`,
        GITHUB_API_BASE: world.stack.gitHub.apiBase,
      },
    });
  });

  it('puts the clock of the parts forward, and back with a reset', async () => {
    const alice = await world.signIn('alice@example.com');
    const isSignedIn = async (): Promise<boolean> => (await alice.request(`${world.url}/me`)).status === 200;
    expect(await json(send('POST', '/clock', { advanceMs: WEEK_MS - 60_000 }))).toMatchObject({
      offsetMs: WEEK_MS - 60_000,
    });
    expect(await isSignedIn()).toBe(true);
    await send('POST', '/clock', { advanceMs: 60_000 });
    expect(await isSignedIn()).toBe(false);
    expect((await send('POST', '/reset')).status).toBe(204);
    expect(await isSignedIn()).toBe(true);
    for (const advanceMs of [0, -1, 1.5, '1'])
      expect((await send('POST', '/clock', { advanceMs })).status).toBe(400);
  });

  it('chooses what AWS leaves open', async () => {
    const lenient = await json(send('PUT', '/behaviour', { behaviour: 'lenient' }));
    expect(lenient).toMatchObject({ otherTokenCompletes: true, denial: 'session_alone' });
    const changed = await json(send('PUT', '/behaviour', { behaviour: { denial: 'error_alone' } }));
    expect(changed).toEqual({ ...lenient, denial: 'error_alone' });
    expect((await send('PUT', '/behaviour', { behaviour: 'other' })).status).toBe(400);
  });

  it('lists what was asked, as JSON lines without secrets', async () => {
    await send('DELETE', '/requests');
    const alice = await world.signIn('alice@example.com');
    await world.ask(alice, 'asked', 'hello');
    const answer = await send('GET', '/requests');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await answer.text()).trimEnd().split('\n');
    const hops = lines.map((line) => JSON.parse(line) as { to: string; line: string });
    expect(hops.filter(({ to, line }) => to === 'agent' && line === 'POST /invocations')).toHaveLength(1);
    expect(hops.some(({ to }) => to === 'bedrock')).toBe(true);
    expect(lines.join('')).not.toContain('AWSELBAuthSessionCookie-0=ey');
  });

  it('keeps a snapshot of a connected user, and restores it after a reset', async () => {
    await connectAlice(world, 'Who am I on GitHub?');
    const snapshot = await json(send('GET', '/snapshot'));
    const grants = world.stack.agentCoreIdentity.vault.grants();
    const objects = world.stack.s3.store.all().length;
    expect(Object.keys(grants)).toHaveLength(1);
    await send('POST', '/reset');
    expect(world.stack.agentCoreIdentity.vault.grants()).toEqual({});
    expect((await send('PUT', '/snapshot', snapshot)).status).toBe(204);
    expect(world.stack.agentCoreIdentity.vault.grants()).toEqual(grants);
    expect(world.stack.s3.store.all()).toHaveLength(objects);
    expect((await send('PUT', '/snapshot', { version: 2 })).status).toBe(400);
  });

  it('is closed to the pages of other sites', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    expect((await new HttpBrowser().request(at(''), { headers })).status).toBe(403);
    expect((await fetch(at('/none'))).status).toBe(404);
  });
});
