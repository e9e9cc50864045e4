import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { Writable } from 'node:stream';
import { BOARD_OFFSET } from '../lib/names.ts';

const READY_TIMEOUT_MS = 60_000;

/** Runs docker and returns its standard output. When it fails, throws an error with its standard error. */
export function docker(...parameters: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('docker', parameters, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined)
    throw new Error('docker cannot be started. Install Docker Engine, or Docker Desktop.');
  if (status !== 0) throw new Error(`docker ${parameters[0] ?? ''} failed:\n${stderr.trim().slice(-4_000)}`);
  return stdout.trim();
}

/** The answer of the engine to `docker version`; undefined when no engine answers. */
export function engineVersion(): string | undefined {
  const { status, stdout } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** Builds an image. The output is passed on, because a build takes a while. */
export async function buildImage(
  tag: string,
  buildArguments: Readonly<Record<string, string>>,
  target?: string,
): Promise<void> {
  const given = Object.entries(buildArguments).flatMap(([name, value]) => [
    '--build-arg',
    `${name}=${value}`,
  ]);
  const stage = target === undefined ? [] : ['--target', target];
  const child = spawn('docker', ['build', '--tag', tag, ...stage, ...given, '.'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error('The image was not built; the lines above say where.');
}

/** The bytes of `docker save`, compressed in the fastest way. A registry, which takes more time for it, has fewer. */
export async function compressedBytes(image: string): Promise<number> {
  const child = spawn('docker', ['save', image], { stdio: ['ignore', 'pipe', 'inherit'] });
  let bytes = 0;
  const count = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.byteLength;
      done();
    },
  });
  await pipeline(child.stdout, createGzip({ level: 1 }), count);
  return bytes;
}

export interface Container {
  readonly id: string;
  readonly url: string;
}

const HARDENED = [
  '--read-only',
  '--cap-drop',
  'ALL',
  '--security-opt',
  'no-new-privileges',
  '--pids-limit',
  '128',
  '--memory',
  '512m',
];

/** Starts a container of a role like a hardened task: a read-only file system, no capability, no new privileges. */
export function runContainer(
  image: string,
  port: number,
  environment: Readonly<Record<string, string>>,
): Promise<Container> {
  return run(`http://127.0.0.1:${String(port)}`, '/ready', [
    ...variables({ ...environment, PORT: String(port) }),
    image,
  ]);
}

/** Stops a container by SIGTERM, while this process goes on: the container may need the stack that runs in it. */
export async function stopContainer(id: string, withinSeconds: number): Promise<void> {
  const child = spawn('docker', ['stop', '--time', String(withinSeconds), id], { stdio: 'ignore' });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error('The container was not stopped.');
}

/** Starts a container of the local stack, hardened like a role's, with a folder for its state. */
export function runStackContainer(
  image: string,
  port: number,
  parameters: readonly string[],
): Promise<Container> {
  return run(`http://127.0.0.1:${String(port + BOARD_OFFSET)}`, '/__stack', [
    ...['--tmpfs', '/data:mode=0777'],
    ...variables({ LOCAL_PORT: String(port) }),
    image,
    ...parameters,
  ]);
}

function variables(environment: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
}

async function run(url: string, ready: string, parameters: readonly string[]): Promise<Container> {
  const id = docker('run', '--detach', '--network', 'host', ...HARDENED, ...parameters);
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(url + ready).catch(() => undefined);
    if (answer?.status === 200) return { id, url };
    await delay(200);
  }
  const logs = docker('logs', id).slice(-2_000);
  docker('rm', '--force', id);
  throw new Error(`The container did not become ready. Its log:\n${logs}`);
}
