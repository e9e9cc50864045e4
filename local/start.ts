import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { USERS } from './identity-provider/users.ts';
import { startBothRoles, type BothRoles } from './lib/both-roles.ts';
import { requireFreePorts } from './lib/role-process.ts';
import { startStack, type LocalStack } from './stack.ts';
import { build } from '../scripts/lib/build.mjs';

const USAGE = `usage: npm start [-- --reset]

Starts the local stack and both roles, with the load balancer at http://localhost:8000; nothing of it needs AWS.
  --reset       forgets everything first: users' tokens, conversations, keys (npm start -- --reset)
  LOCAL_PORT    the first of ten ports, 8000 when absent: LOCAL_PORT=9000 npm start
`;

const DEFAULT_PORT = 8000;
const PORTS = 10;
const PARENT_CHECK_MS = 500;
/** Milliseconds between two words of the local model: slow enough to be seen streaming. */
const WORD_DELAY_MS = 25;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

try {
  await start();
} catch (error) {
  process.stderr.write(`${sentenceFor(error)}\n`);
  process.exit(1);
}

async function start(): Promise<void> {
  const port = portOf(process.env.LOCAL_PORT);
  readArguments();
  // One folder for each range of ports: the addresses are part of what is remembered.
  const state = `.onbehalf/${String(port)}/state`;
  const logs = `.onbehalf/${String(port)}/logs`;
  await requireFreePorts(port, PORTS);
  if (process.argv.includes('--reset')) {
    rmSync(state, { recursive: true, force: true });
    say('The local state has been cleared.');
  }
  await build();
  mkdirSync(state, { recursive: true, mode: 0o700 });
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  say('Starting the local stack and both roles …');
  const stack = await startStack({ port, stateDirectory: state, wordDelayMs: WORD_DELAY_MS });
  let roles: BothRoles;
  try {
    roles = await startBothRoles(stack, { ports: [port + 7, port + 8], logDirectory: logs });
  } catch (error) {
    await stack.close();
    throw error;
  }
  const environment = `.onbehalf/${String(port)}/operator.env`;
  writeFileSync(environment, environmentFile(stack.environment('operator')), { mode: 0o600 });
  endWith(stack, roles, logs);
  say(screen(stack, { state, logs, environment }));
}

function endWith(stack: LocalStack, roles: BothRoles, logs: string): void {
  let ending = false;
  const end = (why: string, code: number): void => {
    if (ending) return;
    ending = true;
    say(why);
    void Promise.all([roles.stop(), stack.close()]).then(() => process.exit(code));
  };
  process.on('SIGINT', () => {
    end('\nStopping …', 0);
  });
  process.on('SIGTERM', () => {
    end('Stopping …', 0);
  });
  // npm's shell does not hand on the signal that ends it.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end('npm has ended. Stopping …', 0);
  }, PARENT_CHECK_MS).unref();
  for (const [name, role] of [
    ['agent', roles.agent],
    ['session-binding', roles.sessionBinding],
  ] as const) {
    void role.exited.then((code) => {
      end(`The role ${name} has ended (exit code ${String(code)}). Its log: ${logs}/${name}.log`, 1);
    });
  }
}

function environmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function screen(
  { loadBalancer, gitHub }: LocalStack,
  { state, logs, environment }: Readonly<Record<'state' | 'logs' | 'environment', string>>,
): string {
  return `
OnBehalf is ready:  ${loadBalancer.url}/docs

  Sign in as   ${USERS.map(({ username }) => username).join(', ')}   (no password)
  The model, AgentCore Identity, S3, the identity provider and GitHub (${gitHub.url})
  are stand-ins on this machine. The model follows simple rules; it is no language model.

  Try this: open POST /invocations, choose one of its examples, press Execute.
   1. "A first message" ends with an interrupt. The page shows a link: open it, choose a GitHub account,
      press Authorize there. Then execute "Resume".
   2. "A second message" needs another scope, so another consent. Give it, or execute "Decline".
   3. Open such a link in a private window as another user: it is refused before anything is shared.

  Logs    ${logs}/agent.log, ${logs}/session-binding.log
  State   ${state} (survives a restart; npm start -- --reset clears it)
  Check   npm run doctor -- ${environment}
  Stop    Ctrl-C
`;
}

function portOf(value: string | undefined): number {
  if (value === undefined || value === '') return DEFAULT_PORT;
  const port = Number(value);
  if (/^\d{4,5}$/.test(value) && port >= 1024 && port <= 65_535 - PORTS) return port;
  throw new Error(
    `LOCAL_PORT must be a port from 1024 to ${String(65_535 - PORTS)}; the ${String(PORTS - 1)} ports after it are used too.`,
  );
}

function readArguments(): void {
  const given = process.argv.slice(2);
  if (given.includes('--help') || given.includes('-h')) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const unknown = given.filter((argument) => argument !== '--reset');
  if (unknown.length > 0) throw new Error(`Unknown argument ${unknown.join(' ')}.\n${USAGE}`);
}

function sentenceFor(error: unknown): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  if (code !== 'EADDRINUSE') return message;
  return `Port ${String(port)} is taken. Stop what uses it, or choose another range of ten ports: LOCAL_PORT=9000 npm start`;
}
