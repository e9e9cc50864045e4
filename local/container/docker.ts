import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { Writable } from 'node:stream';

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
): Promise<void> {
  const given = Object.entries(buildArguments).flatMap(([name, value]) => [
    '--build-arg',
    `${name}=${value}`,
  ]);
  const child = spawn('docker', ['build', '--tag', tag, ...given, '.'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error('The image was not built; the lines above say where.');
}

/** The bytes of `docker save`, compressed as in a registry. */
export async function compressedBytes(image: string): Promise<number> {
  const child = spawn('docker', ['save', image], { stdio: ['ignore', 'pipe', 'inherit'] });
  let bytes = 0;
  const count = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.byteLength;
      done();
    },
  });
  await pipeline(child.stdout, createGzip({ level: 6 }), count);
  return bytes;
}

export interface Container {
  readonly id: string;
  readonly url: string;
}

/** Starts a container like a hardened task: a read-only file system, no capability, no new privileges. */
export async function runContainer(
  image: string,
  port: number,
  environment: Readonly<Record<string, string>>,
): Promise<Container> {
  const variables = Object.entries({ ...environment, PORT: String(port) }).flatMap(([name, value]) => [
    '--env',
    `${name}=${value}`,
  ]);
  const hardened = [
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
  const id = docker('run', '--detach', '--network', 'host', ...hardened, ...variables, image);
  const container = { id, url: `http://127.0.0.1:${String(port)}` };
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(`${container.url}/ready`).catch(() => undefined);
    if (answer?.status === 200) return container;
    await delay(200);
  }
  const logs = docker('logs', id).slice(-2_000);
  docker('rm', '--force', id);
  throw new Error(`The container did not become ready. Its log:\n${logs}`);
}
