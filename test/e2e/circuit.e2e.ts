import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../local/lib/faults.ts';
import { tokenOf } from '../support/tokens.ts';
import { eventually, World } from '../support/world.ts';

const USERS = ['ann', 'ben', 'ann', 'ben', 'ann'];

interface Init {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

describe('when S3 is down', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start({}, { environment: { CALL_DEADLINE_SECONDS: '1' } });
  });
  afterAll(() => world.close());
  beforeEach(() => world.reset());

  const ask = async (sub: string, init: Init = {}, path = '/sessions') => {
    const startedAt = performance.now();
    const headers = { 'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub } }), ...init.headers };
    const answer = await fetch(`${world.roles.agent.url}${path}`, { ...init, headers });
    return { status: answer.status, text: await answer.text(), tookMs: performance.now() - startedAt };
  };
  const invoke = (sub: string, sessionId: string) => {
    const body = JSON.stringify({ sessionId, message: 'hello' });
    return ask(
      sub,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body },
      '/invocations',
    );
  };
  const logged = (event: string, from: number): number =>
    world.roles.agent.output().slice(from).split(`"event":"${event}","dependency":"s3"`).length - 1;

  it.each<[string, Fault]>([
    ['hangs', { kind: 'hang' }],
    ['closes connections', { kind: 'reset' }],
    ['answers 500', { kind: 'answer', status: 500, body: '' }],
  ])(
    'it %s: the sixth call is answered at once, and the first one after its return succeeds',
    async (_name, fault) => {
      const from = world.roles.agent.output().length;
      world.stack.s3.faults.plan(/./, fault);
      for (const { status } of await Promise.all(USERS.map((sub) => ask(sub)))) expect(status).toBe(503);
      const sixth = await ask('cyd');
      expect(sixth).toMatchObject({
        status: 503,
        text: expect.stringContaining('sessions_unavailable') as unknown,
      });
      expect(sixth.tookMs).toBeLessThan(50);
      expect(logged('circuit_opened', from)).toBe(1);
      world.stack.s3.faults.clear();
      const backAt = performance.now();
      await eventually(async () => (await ask('cyd')).status === 200);
      expect(performance.now() - backAt).toBeLessThan(1_500);
      expect(logged('circuit_closed', from)).toBe(1);
      expect((await invoke('cyd', 'after')).text).toContain('"outcome":{"type":"success"}');
    },
  );

  it('one user who meets failures does not stop the others', async () => {
    const from = world.roles.agent.output().length;
    world.stack.s3.faults.plan(/list-type/, { kind: 'answer', status: 500, body: '' });
    for (let n = 0; n < 6; n += 1) expect((await ask('ann')).status).toBe(503);
    expect((await invoke('ben', 'one')).text).toContain('"outcome":{"type":"success"}');
    expect(logged('circuit_opened', from)).toBe(0);
  });
});
