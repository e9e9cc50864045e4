import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startRole } from '../../local/lib/role-process.ts';
import { tokenOf } from '../support/tokens.ts';
import { eventually, isClaimed, storedTurns, World } from '../support/world.ts';

describe('the limits of a task', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start({}, { environment: { RUN_GRACE_SECONDS: '0' } });
  });
  afterAll(() => world.close());
  beforeEach(() => world.reset());

  const invoke = (
    sub: string,
    sessionId: string,
    url = world.roles.agent.url,
    signal: AbortSignal | null = null,
  ): Promise<Response> =>
    fetch(`${url}/invocations`, {
      method: 'POST',
      headers: {
        'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub } }),
        'content-type': 'application/json',
      },
      body: JSON.stringify({ sessionId, message: `hello from ${sessionId}` }),
      signal,
    });
  const recordsOf = (sessionId: string): Promise<string[]> => storedTurns(world.stack, sessionId);
  const hasClaim = (sessionId: string): Promise<boolean> => isClaimed(world.stack, sessionId);

  it('one user cannot block the model for other users', async () => {
    world.stack.bedrock.faults.plan(/./, { kind: 'hang' });
    const stop = new AbortController();
    const running = await Promise.all(
      Array.from({ length: 10 }, (_, n) => invoke('greedy', `greedy-${String(n)}`, undefined, stop.signal)),
    );
    expect(running.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const refused = await invoke('greedy', 'greedy-more');
    expect(refused.status).toBe(429);
    expect(((await refused.json()) as { code: string }).code).toBe('too_many_runs');
    const others = await Promise.all(
      Array.from({ length: 60 }, (_, n) => invoke(`other-${String(n)}`, 'one', undefined, stop.signal)),
    );
    expect(others.every(({ status }) => status === 200)).toBe(true);
    world.stack.bedrock.faults.clear();
    expect(await (await invoke('late', 'one')).text()).toContain('"outcome":{"type":"success"}');
    stop.abort();
    await eventually(async () => !(await hasClaim('greedy-0')) && (await recordsOf('greedy-0')).length === 1);
    await eventually(async () => (await invoke('greedy', 'greedy-more')).status === 200);
  });

  it('a client that disconnects while its turn begins: the turn is saved as cancelled', async () => {
    world.stack.bedrock.faults.plan(/./, { kind: 'hang' }, 1);
    world.stack.s3.faults.plan(/PUT .*\/leaves\/working-set/, { kind: 'delay', ms: 300 }, 1);
    const stop = new AbortController();
    const leaving = invoke('leaver', 'leaves', undefined, stop.signal).catch(() => undefined);
    setTimeout(() => {
      stop.abort();
    }, 100);
    await leaving;
    await eventually(async () => (await recordsOf('leaves')).length === 1);
    const [record] = await recordsOf('leaves');
    expect(record).toContain('"outcome":"cancelled"');
    expect(record).toContain('hello');
    await eventually(async () => !(await hasClaim('leaves')));
  });

  it('a turn that begins during the shutdown gets an error, and leaves no claim', async () => {
    const role = await startRole('agent', { environment: world.stack.environment('agent') });
    world.stack.bedrock.faults.plan(/./, { kind: 'hang' }, 1);
    world.stack.s3.faults.plan(/PUT .*\/index\/going/, { kind: 'delay', ms: 500 }, 1);
    const answer = invoke('goer', 'going', role.url);
    await eventually(() => hasClaim('going'));
    const stopped = role.stop();
    expect(await (await answer).text()).toContain('"code":"shutting_down"');
    await stopped;
    expect(await hasClaim('going')).toBe(false);
  });

  it.each(['/%zz', `/sessions/${'x'.repeat(300)}`, '/sessions/a%2fb', '/sessions/a%00b'])(
    'answers %s with a problem document that does not repeat the input',
    async (path) => {
      const answer = await fetch(world.roles.agent.url + path, {
        headers: { 'x-amzn-oidc-data': tokenOf(world.stack) },
      });
      expect([400, 404]).toContain(answer.status);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await answer.text()).not.toContain(path.slice(1, 20));
    },
  );

  /** The answer to a raw connection. */
  const raw = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(world.roles.agent.url);
      const socket = connect(Number(port), hostname, () => socket.write(bytes));
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString()));
      socket.on('close', () => {
        resolve(answer);
      });
      socket.on('error', reject);
    });

  it.each([
    [
      'headers that are too large',
      `GET /ping HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['no HTTP', 'HELLO\r\n\r\n', 400, 'invalid_request'],
    [
      'two lengths of one body',
      'POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'invalid_request',
    ],
  ])('answers %s with a problem document', async (_name, bytes, status, code) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `));
    expect(answer).toContain(`"code":"${code}"`);
    expect(answer).toContain('x-content-type-options: nosniff');
  });

  it('cuts a request whose body does not arrive', async () => {
    const startedAt = Date.now();
    const { hostname, port } = new URL(world.roles.agent.url);
    const headers = {
      'content-type': 'application/json',
      'content-length': '1000',
      'x-amzn-oidc-data': tokenOf(world.stack),
    };
    const outcome = await new Promise<string>((resolve) => {
      const slow = request({ hostname, port, path: '/invocations', method: 'POST', headers }, (answer) => {
        resolve(String(answer.statusCode));
      });
      slow.on('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code ?? 'error');
      });
      slow.write('{');
    });
    expect(['408', 'ECONNRESET']).toContain(outcome);
    expect(Date.now() - startedAt).toBeLessThan(13_000);
  });
});
