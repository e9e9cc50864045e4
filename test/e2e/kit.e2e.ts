import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { startStack } from '../../local/kit/testing.ts';
import { eventually } from '../support/world.ts';

const KIT = resolve('build/kit');
const PORT = 18_480;
const READY_WITHIN_MS = 1_000;
const MEMORY_MB = 150;

interface Kit {
  readonly startStack: typeof startStack;
}

describe('the local stack as an npm package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'onbehalf-kit-'));
  const children: ChildProcess[] = [];
  let kit: Kit;

  beforeAll(async () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'scripts/kit.mjs'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    kit = (await import(join(KIT, 'lib/testing.js'))) as Kit;
  }, 60_000);
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const answers = (url: string): Promise<boolean> =>
    fetch(url).then(
      ({ status }) => status === 200,
      () => false,
    );

  /** The resident memory of a process, in MB. */
  const memoryOf = (pid: number): number => {
    if (process.platform !== 'linux')
      return Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout) / 1024;
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]) / 1024;
  };
  /** Starts the command in an empty folder, and measures it. */
  const startCommand = async (): Promise<{
    readonly ms: number;
    readonly mb: number;
    readonly text: string;
  }> => {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [join(KIT, 'lib/onbehalf-stack.js')], {
      cwd: folder,
      env: { ...process.env, LOCAL_PORT: String(PORT) },
    });
    children.push(child);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await eventually(() => text.includes('The local stack is ready'), 20_000);
    const ms = performance.now() - startedAt;
    const mb = memoryOf(child.pid ?? 0);
    child.kill('SIGTERM');
    await new Promise((ended) => child.once('exit', ended));
    return { ms, mb, text };
  };

  it(`starts all parts by a command of its own, within ${String(READY_WITHIN_MS)} ms and ${String(MEMORY_MB)} MB`, async () => {
    const runs = [await startCommand(), await startCommand(), await startCommand()];
    const ms = Math.min(...runs.map((run) => run.ms));
    const mb = Math.max(...runs.map((run) => run.mb));
    process.stderr.write(`the local stack: ready after ${ms.toFixed(0)} ms, at most ${mb.toFixed(0)} MB\n`);
    expect(ms).toBeLessThan(READY_WITHIN_MS);
    expect(mb).toBeLessThan(MEMORY_MB);
    expect(runs[0]?.text).toContain('set -a; . .onbehalf/18480/aws.env; set +a');
    // These lines are for a checkout.
    expect(runs[0]?.text).not.toContain('npm run');
  }, 60_000);

  it('has everything in its files', () => {
    const manifest = JSON.parse(readFileSync(join(KIT, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({
      name: 'onbehalf',
      bin: { 'onbehalf-stack': './lib/onbehalf-stack.js' },
    });
    expect(manifest).not.toHaveProperty('dependencies');
    expect(readFileSync(join(KIT, 'licenses.md'), 'utf8')).toContain('oidc-provider');
    // The types need no other file.
    expect(readFileSync(join(KIT, 'lib/testing.d.ts'), 'utf8')).not.toMatch(/^import /m);
  });

  it('starts a stack for tests on free ports, controls it, and ends it', async () => {
    const stack = await kit.startStack({ config: { s3: { buckets: ['mine'] } } });
    const alice = { headers: { cookie: await stack.signIn('alice@example.com') } };
    expect((await fetch(`${stack.parts.loadBalancer ?? ''}/me`, alice)).status).toBe(503);
    await expect(stack.signIn('nobody@example.com')).rejects.toThrow('nobody@example.com was not signed in');
    await expect(stack.consent('http://127.0.0.1:9/', { login: 'alice-octo' })).rejects.toThrow();
    expect(stack.users.map(({ username }) => username)).toContain('alice@example.com');
    expect(stack.environment()).toMatchObject({ AWS_ENDPOINT_URL_S3: stack.parts.s3 });
    await stack.advance(1_000);
    await stack.choose('lenient');
    const kept = await stack.snapshot();
    await stack.fail({ part: 's3', path: 'GET', fault: { kind: 'answer', status: 503 }, times: 1 });
    const object = `${stack.parts.s3 ?? ''}/mine/one`;
    expect((await fetch(object)).status).toBe(503);
    expect((await stack.requests()).filter(({ to }) => to === 's3')).toHaveLength(1);
    await stack.restore(kept);
    await stack.act('github', 'revoke-tokens', { login: 'alice-octo' });
    await expect(stack.fail({ part: 's4', fault: { kind: 'hang' } })).rejects.toThrow(
      /^The stack refuses POST \/faults: /,
    );
    await stack.reset();
    expect(await stack.requests()).toEqual([]);
    await stack.close();
    expect(await answers(`${stack.url}/__stack`)).toBe(false);
  });

  it('says what is wrong in its configuration', async () => {
    await expect(kit.startStack({ config: 'no-such.json' })).rejects.toThrow(
      'There is no file no-such.json.',
    );
    await expect(kit.startStack({ config: { part: [] } })).rejects.toThrow(
      /^config is not what a stack can have.*Unrecognized key: "part"/s,
    );
  });

  it('ends with tests that do not close it, and does not keep them running', async () => {
    const file = join(folder, 'forgetful.mjs');
    const kitFile = JSON.stringify(join(KIT, 'lib/testing.js'));
    writeFileSync(file, `import { startStack } from ${kitFile};\nconsole.log((await startStack()).url);\n`);
    const { status, stdout } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 20_000 });
    expect(status).toBe(0);
    await eventually(async () => !(await answers(`${stdout.trim()}/__stack`)));
  });

  it('ends with the process of the tests, also when that is killed', async () => {
    const file = join(folder, 'test.mjs');
    writeFileSync(
      file,
      `import { startStack } from ${JSON.stringify(join(KIT, 'lib/testing.js'))};
process.send((await startStack()).url);
setInterval(() => {}, 1_000);
`,
    );
    const tests = fork(file);
    children.push(tests);
    const url = await new Promise<string>((told) => tests.once('message', told));
    expect(await answers(`${url}/__stack`)).toBe(true);
    tests.kill('SIGKILL');
    await eventually(async () => !(await answers(`${url}/__stack`)));
  });
});
