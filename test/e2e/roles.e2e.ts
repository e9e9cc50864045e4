import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRole } from '../../local/lib/role-process.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';

describe('a role', () => {
  let stack: LocalStack;
  let folder: string;

  beforeAll(async () => {
    stack = await startStack();
    folder = mkdtempSync(join(tmpdir(), 'onbehalf-roles-'));
  });
  afterAll(async () => {
    await stack.close();
    rmSync(folder, { recursive: true });
  });

  const modulesOf = async (role: 'agent' | 'session-binding'): Promise<string> => {
    const file = join(folder, role);
    const recorder = new URL('../support/record-modules.mjs', import.meta.url).href;
    const environment = {
      ...stack.environment(role),
      NODE_OPTIONS: `--import ${recorder}`,
      RECORD_MODULES: file,
    };
    const process = await startRole(role, { environment });
    await process.stop();
    return readFileSync(file, 'utf8');
  };

  it('session-binding loads neither Strands nor the Bedrock client, and nothing that fetches tokens', async () => {
    const modules = await modulesOf('session-binding');
    expect(modules).toContain('/dist/binding/');
    expect(modules).toContain('@aws-sdk/client-bedrock-agentcore');
    for (const absent of [
      '@strands-agents',
      'client-bedrock-runtime',
      'client-s3',
      '@ag-ui',
      '/dist/agent/',
      '/dist/tools/',
      '/dist/github-tools/',
      '/dist/sessions/',
    ]) {
      expect([absent, modules.includes(absent)]).toEqual([absent, false]);
    }
  });

  it('agent loads them, so that the recorder is seen to work, and nothing of the binding', async () => {
    const modules = await modulesOf('agent');
    expect(modules).toContain('@strands-agents');
    expect(modules).toContain('client-bedrock-runtime');
    expect(modules).not.toContain('/dist/binding/');
  });

  const start = (environment: Readonly<Record<string, string>>): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, ['dist/main.js'], { env: environment, encoding: 'utf8' });

  it.each([{}, { ROLE: 'both' }])('does not start without a known ROLE: %j', (environment) => {
    const { status, stderr } = start(environment);
    expect(status).toBe(78);
    expect(stderr).toContain('ROLE');
    expect(stderr).toContain('agent or session-binding');
  });

  it('names every fault of its environment at once, and no value', () => {
    const { status, stderr } = start({
      ...stack.environment('agent'),
      FLOW_SECRET: 'SECRET-too-short',
      PUBLIC_URL: 'http://SECRET.example',
      PORT: 'SECRET',
      S3_BUCKET_NAME: '',
    });
    expect(status).toBe(78);
    for (const name of ['FLOW_SECRET', 'PUBLIC_URL', 'PORT', 'S3_BUCKET_NAME'])
      expect(stderr).toContain(name);
    expect(stderr).not.toContain('SECRET.');
    expect(stderr).not.toContain('SECRET-');
    expect(stderr).not.toContain('ALB_ARN');
  });

  it('ends on SIGTERM, having told a running stream', async () => {
    const process = await startRole('agent', { environment: stack.environment('agent') });
    stack.bedrock.faults.plan(/converse-stream/, { kind: 'hang' });
    const exp = Math.floor(Date.now() / 1000) + 60;
    const headers = stack.loadBalancer.identityHeaders({ claims: { sub: 'subject', exp }, accessToken: '' });
    const answer = await fetch(`${process.url}/invocations`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ sessionId: 'a', message: 'hello' }),
    });
    const reading = answer.text();
    await process.stop();
    expect(await reading).toContain('"code":"shutting_down"');
    await process.exited;
    expect([process.process.exitCode, process.process.signalCode]).toEqual([null, 'SIGTERM']);
    stack.bedrock.faults.clear();
  });
});
