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

  /** The folders of our own loaded modules; modules in the root by their names. */
  const foldersOf = (modules: string): readonly string[] => {
    const own = [...modules.matchAll(/(?<!node_modules.*)\/dist\/(.+)\.js$/gm)].map(([, path = '']) => path);
    const folders = own.map((path) => {
      const [first = '', second = '', third] = path.split('/');
      return third === undefined || !['common', 'identity'].includes(first) ? first : `${first}/${second}`;
    });
    return [...new Set(folders)].sort();
  };

  it('session-binding loads exactly these parts, and none of them fetches a token', async () => {
    const modules = await modulesOf('session-binding');
    expect(foldersOf(modules)).toEqual([
      'audit',
      'binding',
      'common/aws',
      'common/circuit',
      'common/context',
      'common/deadline',
      'common/errors',
      'common/http',
      'common/logging',
      'common/telemetry',
      'config',
      'create-app',
      'identity/agentcore',
      'identity/authorization-completion',
      'identity/flow',
      'identity/revocation',
      'identity/sign-in',
      'main',
      'receipts',
      'roles',
      'storage',
    ]);
    const sources = [...modules.matchAll(/^file:\/\/(.*\/dist\/(?!.*node_modules).*)$/gm)].map(
      ([, file = '']) => readFileSync(file, 'utf8'),
    );
    const commands = sources.flatMap((source) =>
      [...source.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-bedrock-agentcore'/g)].flatMap(
        ([, names = '']) =>
          names
            .split(',')
            .map((name) => name.trim())
            .filter((name) => name.endsWith('Command')),
      ),
    );
    expect(commands).toEqual(['CompleteResourceTokenAuthCommand']);
    for (const absent of ['@strands-agents', 'client-bedrock-runtime', '@ag-ui'])
      expect(modules).not.toContain(absent);
  });

  it('agent loads the parts that fetch tokens, which proves the recorder, and no part of the binding', async () => {
    const modules = await modulesOf('agent');
    expect(modules).toContain('@strands-agents');
    expect(modules).toContain('client-bedrock-runtime');
    expect(modules).not.toContain('/dist/binding/');
    expect(foldersOf(modules)).toContain('identity/token-vault');
    expect(foldersOf(modules)).not.toContain('identity/authorization-completion');
    expect(foldersOf(modules)).not.toContain('identity/revocation');
  });

  const start = (environment: Readonly<Record<string, string>>): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, ['dist/main.js'], { env: environment, encoding: 'utf8' });

  it.each([{}, { ROLE: 'both' }])('does not start with the unknown ROLE %j', (environment) => {
    const { status, stderr } = start(environment);
    expect(status).toBe(78);
    expect(stderr).toContain('ROLE');
    expect(stderr).toContain('agent or session-binding');
  });

  it('names all faults of its environment at once, without values', () => {
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

  it('ends on SIGTERM after it has ended a running stream with an error event', async () => {
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
    expect(process.process.exitCode).toBe(0);
    stack.bedrock.faults.clear();
  });
});
