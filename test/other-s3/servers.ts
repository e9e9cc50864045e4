import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ACCESS_KEYS, REGION } from '../../local/lib/names.ts';
import { freePort } from '../../local/lib/role-process.ts';
import { OtherBucket, SECRET } from '../support/other-s3.ts';

/** A program that other people wrote, and that answers as S3. */
export interface OtherS3 {
  readonly command: string;
  /** How it is installed. */
  readonly install: string;
  /** Its arguments and its environment. */
  start(port: number, folder: string): readonly [readonly string[], Readonly<Record<string, string>>];
  /** Makes the credentials of the roles known to it. */
  prepare?(url: string): void;
}

export interface Running {
  readonly url: string;
  stop(): Promise<void>;
}

const ROOT = 'AKIALOCALROOT';
const READY_WITHIN_MS = 20_000;

export const SERVERS: readonly OtherS3[] = [
  {
    command: 'moto_server',
    install: 'pip install "moto[server,s3]"',
    start: (port) => [['--host', '127.0.0.1', '--port', String(port)], {}],
  },
  {
    command: 'versitygw',
    install: 'go install github.com/versity/versitygw/cmd/versitygw@latest',
    start: (port, folder) => {
      const [data, accounts] = [join(folder, 'data'), join(folder, 'accounts')];
      for (const each of [data, accounts]) mkdirSync(each);
      const parameters = ['--port', `127.0.0.1:${String(port)}`, '--region', REGION, '--iam-dir', accounts];
      return [[...parameters, 'posix', data], { ROOT_ACCESS_KEY: ROOT, ROOT_SECRET_KEY: SECRET }];
    },
    prepare: (url) => {
      for (const accessKey of Object.values(ACCESS_KEYS)) {
        const asRoot = [
          'admin',
          '--access',
          ROOT,
          '--secret',
          SECRET,
          '--region',
          REGION,
          '--endpoint-url',
          url,
        ];
        const user = ['create-user', '--access', accessKey, '--secret', SECRET, '--role', 'admin'];
        const { status, stderr } = spawnSync('versitygw', [...asRoot, ...user], { encoding: 'utf8' });
        if (status !== 0) throw new Error(`versitygw has not created a user: ${stderr}`);
      }
    },
  },
];

export function isInstalled({ command }: OtherS3): boolean {
  return spawnSync(command, ['--help']).error === undefined;
}

/** Starts a server with an empty bucket for the roles. */
export async function startServer(server: OtherS3, folder: string): Promise<Running> {
  const port = await freePort();
  const [parameters, environment] = server.start(port, folder);
  const child = spawn(server.command, [...parameters], {
    stdio: 'ignore',
    env: { ...process.env, ...environment },
  });
  const url = `http://127.0.0.1:${String(port)}`;
  try {
    await answers(url, child);
    server.prepare?.(url);
    await new OtherBucket(url).create();
    return { url, stop: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if ((await fetch(url).catch(() => undefined)) !== undefined) return;
    await delay(100);
  }
  throw new Error('The server did not become ready.');
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.once('exit', () => {
      resolve();
    });
    child.kill('SIGTERM');
  });
}
