import { spawnSync } from 'node:child_process';
import { freePort } from '../lib/role-process.ts';
import { Report } from '../demo/report.ts';
import { playAttacks } from '../demo/attacks.ts';
import { playFlow } from '../demo/flow.ts';
import { startStack, type LocalStack } from '../stack.ts';
import {
  buildImage,
  compressedBytes,
  docker,
  engineVersion,
  runContainer,
  runStackContainer,
  stopContainer,
  type Container,
} from './docker.ts';

const BASE_IMAGE = process.env.BASE_IMAGE ?? 'node:24-bookworm-slim';
const TAG = 'onbehalf:local';
const STACK_TAG = 'onbehalf-stack:local';
const STACK_PORT = 18_500;
const LARGEST_MB = 60;
const STOP_SECONDS = 25;
const MB = 1_000_000;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const engine = engineVersion();
if (engine === undefined) {
  say('NOT RUN: no Docker engine answers on this machine. Start one, then run: npm run image');
  process.exit(1);
}
say(`Docker ${engine}. Building ${TAG} on ${BASE_IMAGE}; the first time takes about two minutes …`);
const REVISION = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).stdout.trim() || 'unknown';
await buildImage(TAG, { BASE_IMAGE, REVISION });
const report = new Report();
report.heading('The image');
await inspect(report);
await buildImage(STACK_TAG, { BASE_IMAGE }, 'stack');
await tryStackImage(report);
const stack = await startStack();
const containers: Container[] = [];
try {
  await play(stack, report);
} finally {
  for (const { id } of containers) docker('rm', '--force', id);
  await stack.close();
}
process.exitCode = report.end(process.uptime());

async function inspect(to: Report): Promise<void> {
  const [{ Config: config, Architecture: architecture }] = JSON.parse(docker('image', 'inspect', TAG)) as [
    {
      Config: {
        User: string;
        Cmd: string[];
        StopSignal: string;
        Healthcheck?: { Test: string[] };
        Labels: Record<string, string>;
        Env: string[];
      };
      Architecture: string;
    },
  ];
  to.check(`for ${architecture}; runs as 1000:1000, not as root`, config.User === '1000:1000');
  to.check(
    'starts and checks itself without a shell',
    config.Cmd[0] === 'node' && config.Healthcheck?.Test[0] === 'CMD',
  );
  to.check('stops by SIGTERM', config.StopSignal === 'SIGTERM');
  to.check(
    'has OCI labels',
    ['title', 'description', 'licenses', 'version', 'revision'].every(
      (name) => (config.Labels[`org.opencontainers.image.${name}`] ?? '') !== '',
    ),
  );
  to.check('has a label with its commit', config.Labels['org.opencontainers.image.revision'] === REVISION);
  to.check('has no secret in its environment', !config.Env.some((entry) => /secret|token|key/i.test(entry)));
  const find = (...expression: string[]): string =>
    docker('run', '--rm', '--entrypoint', 'find', TAG, '/app', ...expression);
  to.check(
    'has no development dependency',
    find(
      '-maxdepth',
      '2',
      '(',
      '-name',
      'jest',
      '-o',
      '-name',
      '@stryker-mutator',
      '-o',
      '-name',
      'eslint',
      ')',
    ) === '',
  );
  to.check(
    'has no TypeScript compiler, and no source maps or types of dependencies',
    find('-path', '*node_modules/typescript/*') === '' &&
      find('-path', '*node_modules*', '(', '-name', '*.map', '-o', '-name', '*.d.ts', ')') === '',
  );
  to.check(
    'has no package manager',
    docker('run', '--rm', '--entrypoint', 'find', TAG, '/usr/local', '/opt', '-name', 'npm*') === '',
  );
  to.check(
    'has no machine code besides its base: the same files run on arm64 and amd64',
    find('-name', '*.node') === '',
  );
  to.check('has no file that its user can change', find('-writable', '-not', '-type', 'l') === '');
  const size = ((await compressedBytes(TAG)) - (await compressedBytes(BASE_IMAGE))) / MB;
  to.check(
    `is ${size.toFixed(1)} MB over its base, compressed; ${String(LARGEST_MB)} at most`,
    size > 0 && size <= LARGEST_MB,
  );
}

/** Starts the local stack from its own image, with a name by which other containers would reach it. */
async function tryStackImage(to: Report): Promise<void> {
  to.heading('The image of the local stack');
  const { id, url } = await runStackContainer(STACK_TAG, STACK_PORT, ['--host', 'localhost']);
  try {
    const { parts } = (await (await fetch(`${url}/__stack`)).json()) as { parts: { s3: string } };
    to.check(
      'starts, and gives out addresses with the name that it was given',
      parts.s3 === `http://localhost:${String(STACK_PORT + 5)}`,
    );
    // Another address of this machine, which is no name of the stack.
    const answer = await fetch(`${url.replace('127.0.0.1', '127.0.0.2')}/__stack`);
    to.check('listens at every address, and is controlled under no other name', answer.status === 403);
    to.check('does not run as root', docker('exec', id, 'id', '-u') === '1000');
    await stopContainer(id, STOP_SECONDS);
    const code = docker('inspect', '--format', '{{.State.ExitCode}}', id);
    to.check(`SIGTERM ends it, exit code ${code}`, code === '0');
  } finally {
    docker('rm', '--force', id);
  }
}

/** Runs the demo with both roles from the same image, then stops them. */
async function play(on: LocalStack, to: Report): Promise<void> {
  const start = async (role: 'agent' | 'session-binding'): Promise<Container> => {
    const container = await runContainer(TAG, await freePort(), on.environment(role));
    containers.push(container);
    return container;
  };
  const agent = await start('agent');
  const sessionBinding = await start('session-binding');
  on.loadBalancer.register({ agent: [agent.url], 'session-binding': [sessionBinding.url] });
  const played = await playFlow(on, to);
  await playAttacks(on, { agent, sessionBinding }, played, to);
  to.heading('The containers');
  for (const { id } of containers) {
    const role = id === agent.id ? 'agent' : 'session-binding';
    to.check(`${role}: its file system is read-only, and it has written nothing`, docker('diff', id) === '');
    docker('exec', id, 'node', 'dist/healthcheck.js');
    to.check(`${role}: its health check passes`, true);
    to.check(
      `${role}: the first process is Node`,
      docker('exec', id, 'node', '-p', "require('fs').readFileSync('/proc/1/comm', 'utf8').trim()") !== 'sh',
    );
    const startedAt = Date.now();
    await stopContainer(id, STOP_SECONDS);
    const seconds = (Date.now() - startedAt) / 1000;
    const code = docker('inspect', '--format', '{{.State.ExitCode}}', id);
    to.check(`${role}: SIGTERM ends it in ${seconds.toFixed(1)} s, exit code ${code}`, code === '0');
  }
}
