import { rmSync, statSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { parseEnv } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke } from '../../local/lib/invoke.ts';
import { startRole, type RoleName, type RoleProcess } from '../../local/lib/role-process.ts';
import { startLocal, type LocalProcess } from '../support/local-process.ts';
import { eventually } from '../support/world.ts';

const PORT = 18_450;
const PORTS = { agent: PORT + 7, 'session-binding': PORT + 8 };
const URL_ = `http://localhost:${String(PORT)}`;
const FOLDER = `.onbehalf/${String(PORT)}`;

describe('npm run stack', () => {
  const running: LocalProcess[] = [];
  const roles: RoleProcess[] = [];

  afterEach(async () => {
    await Promise.all(roles.splice(0).map((role) => role.stop()));
    for (const { child } of running.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => {
    rmSync(FOLDER, { recursive: true, force: true });
  });

  const start = (): LocalProcess => {
    const started = startLocal('local/serve-stack.ts', { port: PORT });
    running.push(started);
    return started;
  };
  const fileOf = (role: RoleName): string => `${FOLDER}/${role}.env`;
  /** Starts a role like a debugger does: with the variables of the file, including the port. */
  const startByFile = async (role: RoleName): Promise<void> => {
    const { PORT: port, ...environment } = parseEnv(readFileSync(fileOf(role), 'utf8')) as Record<
      string,
      string
    >;
    expect(port).toBe(String(PORTS[role]));
    roles.push(await startRole(role, { environment, port: Number(port) }));
  };

  it('prints and writes the environment of each role, reaches roles that are started with it, and ends on a signal', async () => {
    const stack = start();
    await eventually(() => stack.output().includes('The local stack is ready'), 20_000);
    for (const role of ['agent', 'session-binding'] as const) {
      expect(statSync(fileOf(role)).mode & 0o777).toBe(0o600);
      expect(stack.output()).toContain(readFileSync(fileOf(role), 'utf8'));
    }
    expect(stack.output()).toContain(`http://127.0.0.1:${String(PORT + 10)}`);
    const alice = new HttpBrowser();
    await startByFile('agent');
    await startByFile('session-binding');
    await alice.signIn(URL_, 'alice@example.com');
    const paused = await invoke(alice, URL_, { sessionId: 'by-hand', message: 'Who am I on GitHub?' });
    const connectUrl = paused.interrupts[0]?.metadata.connectUrl ?? '';
    expect(connectUrl).toMatch(URL_);
    expect((await alice.navigate(connectUrl)).status).toBe(200);

    const stoppedAt = Date.now();
    stack.child.kill('SIGINT');
    expect(await stack.exit).toBe(0);
    expect(Date.now() - stoppedAt).toBeLessThan(5_000);
  }, 60_000);

  it('names the port that is taken, and says what to do', async () => {
    const blocker = createServer().listen(PORT + 9, '127.0.0.1');
    const { output, exit } = start();
    expect(await exit).toBe(1);
    expect(output()).toContain(`Port ${String(PORT + 9)} is taken by process ${String(process.pid)} (`);
    expect(output()).toContain('LOCAL_PORT=9000 npm run stack');
    blocker.close();
  });

  it('starts while a role from an earlier stack still uses its port', async () => {
    const role = createServer().listen(PORTS.agent, '127.0.0.1');
    const { output } = start();
    await eventually(() => output().includes('The local stack is ready'), 20_000);
    role.close();
  }, 30_000);
});
