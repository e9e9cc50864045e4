import { spawn } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { tokenOf } from '../support/tokens.ts';
import { eventually, isClaimed, World } from '../support/world.ts';

const OBJECTS = 2_500;
const SUB = 'auth0|leaver-2';
const OTHER = 'auth0|leaver-';

describe('npm run forget-user', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
  beforeEach(() => world.reset());

  const prefixOf = (sub: string): string => `users/${Buffer.from(sub).toString('base64url')}/`;
  const keysOf = (sub: string): readonly string[] =>
    world.stack.s3.store
      .all()
      .map(({ key }) => key)
      .filter((key) => key.startsWith(prefixOf(sub)));
  const fill = (sub: string, count: number): void => {
    const bucket = world.stack.environment('agent').S3_BUCKET_NAME ?? '';
    for (let n = 0; n < count; n += 1)
      world.stack.s3.store.put(
        bucket,
        `${prefixOf(sub)}sessions/s${String(n)}/turns/1.json`,
        Buffer.from('{}'),
        {},
      );
  };
  const say = async (sub: string): Promise<void> => {
    const answer = await fetch(`${world.roles.agent.url}/invocations`, {
      method: 'POST',
      headers: {
        'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub } }),
        'content-type': 'application/json',
      },
      body: JSON.stringify({ sessionId: 'one', message: 'hello' }),
    });
    await answer.text();
  };
  const forget = (...parameters: readonly string[]) =>
    new Promise<{ readonly code: number | null; readonly text: string }>((resolve) => {
      const env = { ...process.env, ...world.stack.environment('operator') };
      const child = spawn(process.execPath, ['scripts/run.mjs', 'scripts/forget-user.mjs', ...parameters], {
        env,
      });
      let text = '';
      for (const output of [child.stdout, child.stderr])
        output.on('data', (chunk) => (text += String(chunk)));
      child.on('close', (code) => {
        resolve({ code, text });
      });
    });

  it(`deletes ${String(OBJECTS)} objects and a conversation, proves it, and leaves another user's`, async () => {
    await say(SUB);
    await say(OTHER);
    await eventually(() => keysOf(SUB).length === 3 && keysOf(OTHER).length === 3);
    fill(SUB, OBJECTS);
    fill(OTHER, 5);
    const counted = await forget(SUB);
    expect(counted.text).toContain(`Found ${String(OBJECTS + 3)} objects, 0 old versions, 0 delete markers.`);
    expect(counted.code).toBe(0);
    expect(keysOf(SUB)).toHaveLength(OBJECTS + 3);
    const deleted = await forget(SUB, '--yes');
    expect(deleted.text).toContain('Listed again: 0 objects, 0 old versions, 0 delete markers left.');
    expect(deleted.text).toContain('vault of AgentCore Identity');
    expect(deleted.code).toBe(0);
    expect(keysOf(SUB)).toEqual([]);
    expect(keysOf(OTHER)).toHaveLength(8);
  });

  it('refuses while a turn is in progress, and deletes when it is forced', async () => {
    world.stack.bedrock.faults.plan(/./, { kind: 'hang' });
    void say(SUB).catch(() => undefined);
    await eventually(() => isClaimed(world.stack, 'one'));
    const refused = await forget(SUB, '--yes');
    expect(refused.text).toContain('a turn is in progress in: one.');
    expect(refused.code).toBe(1);
    expect(keysOf(SUB).length).toBeGreaterThan(0);
    expect((await forget(SUB, '--yes', '--force')).text).toContain('Listed again: 0 objects');
  });

  it.each([
    ['no user', [], 'usage: npm run forget-user'],
    ['an unknown flag', [SUB, '--all'], 'usage: npm run forget-user'],
  ])('explains itself when it is given %s', async (_name, parameters, text) => {
    const told = await forget(...parameters);
    expect(told.text).toContain(text);
    expect(told.code).toBe(1);
  });

  it('names the permission that is missing', async () => {
    const body = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>';
    const headers = { 'content-type': 'application/xml' };
    world.stack.s3.faults.plan(/versions/, { kind: 'answer', status: 403, headers, body });
    const told = await forget(SUB, '--yes');
    expect(told.text).toContain('Give this permission to the operator: s3:ListBucketVersions.');
    expect(told.code).toBe(1);
  });
});
