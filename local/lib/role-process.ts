import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { listening } from './http.ts';
import { setTimeout as delay } from 'node:timers/promises';

export type RoleName = 'agent' | 'session-binding';

export interface RoleProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything that the process has written to its two outputs so far. */
  output(): string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

export interface RoleProcessOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Default `dist/main.js`. */
  readonly entry?: string;
  /** The file to which the output is appended, if given. */
  readonly logFile?: string;
}

const READY_TIMEOUT_MS = 20_000;
const PROBE_TIMEOUT_MS = 1_000;
const STOP_TIMEOUT_MS = 4_000;
const END_WITH_PARENT = new URL('end-with-parent.mjs', import.meta.url).href;
/** The variables of this machine that a process needs. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'NODE_V8_COVERAGE'];

/** Starts one role from `dist/` as a process of its own, and waits until it is ready. */
export async function startRole(role: RoleName, options: RoleProcessOptions): Promise<RoleProcess> {
  const port = options.port ?? (await freePort());
  const inherited = Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const parameters = ['--enable-source-maps', '--import', END_WITH_PARENT, options.entry ?? 'dist/main.js'];
  const child = spawn(process.execPath, parameters, {
    env: { ...inherited, ...options.environment, ROLE: role, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  const log =
    options.logFile === undefined
      ? undefined
      : createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      log?.write(chunk);
    });
  }
  const exited = new Promise<number | null>((resolve) => {
    child.on('exit', (code) => {
      log?.end();
      resolve(code);
    });
  });
  const roleProcess: RoleProcess = {
    url: `http://127.0.0.1:${String(port)}`,
    process: child,
    output: () => Buffer.concat(chunks).toString('utf8'),
    exited,
    stop: () => stop(child, exited),
  };
  await ready(role, roleProcess);
  return roleProcess;
}

async function ready(role: RoleName, { url, process: child, ...rest }: RoleProcess): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const answer = await fetch(`${url}/ready`, { signal }).catch(() => undefined);
    if (answer?.status === 200) return;
    await delay(50);
  }
  child.kill('SIGKILL');
  throw new Error(`The role ${role} did not become ready. Its output:\n${rest.output().slice(-4000)}`);
}

async function stop(child: ChildProcess, exited: Promise<number | null>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const late = new AbortController();
  const kill = delay(STOP_TIMEOUT_MS, undefined, { signal: late.signal })
    .then(() => child.kill('SIGKILL'))
    .catch(() => undefined);
  await exited;
  late.abort();
  await kill;
}

export function freePort(): Promise<number> {
  return probePort(0);
}

/** Rejects with EADDRINUSE when one of the ports is taken. */
export async function requireFreePorts(first: number, count: number): Promise<void> {
  for (let port = first; port < first + count; port += 1) await probePort(port);
}

async function probePort(wanted: number): Promise<number> {
  const server = createServer();
  await listening(server, { port: wanted });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
