import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke } from '../../local/lib/invoke.ts';
import { requireFreePorts } from '../../local/lib/role-process.ts';
import { PORTS } from '../../local/stack.ts';
import { startLocal, type LocalProcess } from '../support/local-process.ts';
import { eventually } from '../support/world.ts';

const PORT = 18_430;
const URL_ = `http://localhost:${String(PORT)}`;
const STATE = `.onbehalf/${String(PORT)}`;

describe('npm start', () => {
  const children: ChildProcess[] = [];

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => {
    rmSync(STATE, { recursive: true, force: true });
  });

  const start = (...parameters: string[]): LocalProcess => {
    const started = startLocal('local/start.ts', { port: PORT, parameters });
    children.push(started.child);
    return started;
  };
  const ready = (output: () => string): Promise<void> =>
    eventually(() => output().includes('OnBehalf is ready'), 40_000);

  /** Starts it by a command of its own, and waits until it is ready. */
  const startBy = async (
    command: string,
    parameters: readonly string[],
  ): Promise<{ readonly child: ChildProcess; readonly output: () => string }> => {
    const child = spawn(command, parameters, {
      env: { ...process.env, LOCAL_PORT: String(PORT) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await ready(() => output);
    return { child, output: () => output };
  };

  it('prints one screen, serves, keeps its state over a restart, and ends within 5 s', async () => {
    const first = start('--reset');
    await ready(first.output);
    for (const text of [
      `${URL_}/docs`,
      'alice@example.com',
      'Who am I on GitHub?',
      `${STATE}/logs/agent.log`,
      `npm run doctor -- ${STATE}/operator.env`,
      `http://127.0.0.1:${String(PORT + 10)}`,
    ]) {
      expect(first.output()).toContain(text);
    }
    const alice = new HttpBrowser();
    await alice.signIn(URL_, 'alice@example.com');
    const paused = await invoke(alice, URL_, { sessionId: 'kept', message: 'Who am I on GitHub?' });
    expect(paused.interrupts).toHaveLength(1);
    const page = await alice.submitAndFollow(
      await alice.navigate(paused.interrupts[0]?.metadata.connectUrl ?? ''),
    );
    await alice.submitAndFollow(await alice.submitAndFollow(page, { login: 'alice-octo' }), {
      action: 'authorize',
    });
    const stoppedAt = Date.now();
    first.child.kill('SIGINT');
    expect(await first.exit).toBe(0);
    expect(Date.now() - stoppedAt).toBeLessThan(5_000);

    const second = start();
    await ready(second.output);
    const resume = [{ interruptId: 'interrupt-1', status: 'resolved' }];
    const resumed = await invoke(alice, URL_, { sessionId: 'kept', resume });
    expect(resumed.text).toContain('alice-octo');
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
  }, 90_000);

  it('ends with the shell that npm starts it in, which does not pass on signals', async () => {
    const { child: shell, output } = await startBy('sh', [
      '-c',
      `"${process.execPath}" scripts/run.mjs local/start.ts; true`,
    ]);
    shell.kill('SIGTERM');
    const answers = (): Promise<boolean> =>
      fetch(`${URL_}/docs`, { redirect: 'manual' }).then(
        () => true,
        () => false,
      );
    await eventually(async () => !(await answers()), 10_000);
    expect(output()).toContain('npm has ended. Stopping …');
  }, 60_000);

  const freed = (): Promise<void> =>
    eventually(
      () =>
        requireFreePorts(PORT, PORTS).then(
          () => true,
          () => false,
        ),
      10_000,
    );

  it('frees every port soon after npm was killed, whose shell stays', async () => {
    const { child: npm } = await startBy('npm', ['start']);
    npm.kill('SIGKILL');
    await freed();
  }, 60_000);

  it('frees every port soon after it was killed', async () => {
    const first = start();
    await ready(first.output);
    first.child.kill('SIGKILL');
    await first.exit;
    await freed();
  }, 60_000);

  it('names the port that is taken, and says what to do', async () => {
    const blocker = createServer().listen(PORT + 3, '127.0.0.1');
    const { output, exit } = start();
    expect(await exit).toBe(1);
    expect(output()).toContain(`Port ${String(PORT + 3)} is taken by process ${String(process.pid)} (`);
    expect(output()).toContain(`kill ${String(process.pid)}`);
    expect(output()).toContain('LOCAL_PORT=');
    blocker.close();
  });

  it.each(['--rest', 'reset'])('refuses the argument %s', async (argument) => {
    const { output, exit } = start(argument);
    expect(await exit).toBe(1);
    expect(output()).toContain('npm start -- --reset');
  });

  const run = (cwd: string): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [resolve('scripts/run.mjs'), 'dist/main.js'], { cwd, encoding: 'utf8' });

  it('reports missing dependencies or a missing build', () => {
    const folder = mkdtempSync(join(tmpdir(), 'onbehalf-start-'));
    expect(run(folder)).toMatchObject({ status: 1, stderr: expect.stringContaining('npm ci') as unknown });
    mkdirSync(join(folder, 'node_modules'));
    expect(run(folder)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('npm run build') as unknown,
    });
    rmSync(folder, { recursive: true });
  });
});
