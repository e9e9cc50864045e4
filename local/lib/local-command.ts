import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { PORTS, startStack, type LocalStack } from '../stack.ts';
import { requireFreePorts } from './role-process.ts';

/** A command that starts the local stack, and something on it, and goes on until it is stopped. */
export interface LocalCommand {
  /** As it is typed: `npm start`. */
  readonly name: string;
  /** What its help says that it does: a sentence. */
  readonly purpose: string;
  /** What it starts: "the local stack and both roles". */
  readonly starts: string;
  /** Whether it needs the two ports of the roles itself. */
  readonly takesRolePorts: boolean;
  /** What must be there before anything starts. */
  readonly prepare?: () => Promise<void>;
  readonly begin: (stack: LocalStack, place: Place) => Promise<Running>;
}

export interface Running {
  /** What the command says when everything is there. */
  readonly screen: string;
  /** Ends what `begin` has started. The stack is ended by itself. */
  stop(): Promise<void>;
  /** Resolves, with a sentence, when something has ended that must not. */
  readonly broken?: Promise<string>;
}

/** Where a command keeps what it knows. One folder for each range of ports: the addresses are part of what is remembered. */
export interface Place {
  readonly port: number;
  readonly folder: string;
  readonly state: string;
  readonly logs: string;
}

/** From the first port on: where the roles are, and the other parts of the stack. */
export const ROLE_PORTS = { agent: 7, 'session-binding': 8 } as const;
const STACK_PORTS_BEFORE = 7;
const STACK_PORT_AFTER = 9;
const DEFAULT_PORT = 8000;
const PARENT_CHECK_MS = 500;
/** Milliseconds between two words of the local model: slow enough to be seen streaming. */
const WORD_DELAY_MS = 25;

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Runs a command to its end, which a signal brings, and ends the process. */
export async function runCommand(command: LocalCommand): Promise<void> {
  try {
    await start(command);
  } catch (error) {
    process.stderr.write(`${sentenceFor(command, error)}\n`);
    process.exit(1);
  }
}

async function start(command: LocalCommand): Promise<void> {
  const port = portOf(process.env.LOCAL_PORT);
  readArguments(command);
  const folder = `.onbehalf/${String(port)}`;
  const place = { port, folder, state: `${folder}/state`, logs: `${folder}/logs` };
  await requirePorts(command, port);
  if (process.argv.includes('--reset')) {
    rmSync(place.state, { recursive: true, force: true });
    say('The local state has been cleared.');
  }
  await command.prepare?.();
  for (const each of [place.state, place.logs]) mkdirSync(each, { recursive: true, mode: 0o700 });
  say(`Starting ${command.starts} …`);
  const stack = await startStack({ port, stateDirectory: place.state, wordDelayMs: WORD_DELAY_MS });
  try {
    writeEnvironment(operatorFile(place), stack.environment('operator'));
    const running = await command.begin(stack, place);
    endWith(stack, running);
    say(running.screen);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

/** The environment that `npm run doctor` takes. */
export function operatorFile({ folder }: Place): string {
  return `${folder}/operator.env`;
}

/** Writes an environment file that its owner alone may read, and gives its text. */
export function writeEnvironment(file: string, variables: Readonly<Record<string, string>>): string {
  const text = Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
  writeFileSync(file, text, { mode: 0o600 });
  // Of a file that was there before, writing leaves the mode as it is.
  chmodSync(file, 0o600);
  return text;
}

function endWith(stack: LocalStack, running: Running): void {
  let ending = false;
  const end = (why: string, code: number): void => {
    if (ending) return;
    ending = true;
    say(why);
    void Promise.all([running.stop(), stack.close()]).then(() => process.exit(code));
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
  void running.broken?.then((why) => {
    end(why, 1);
  });
}

function portOf(value: string | undefined): number {
  if (value === undefined || value === '') return DEFAULT_PORT;
  const port = Number(value);
  if (/^\d{4,5}$/.test(value) && port >= 1024 && port <= 65_535 - PORTS) return port;
  throw new Error(
    `LOCAL_PORT must be a port from 1024 to ${String(65_535 - PORTS)}; the ${String(PORTS - 1)} ports after it are used too.`,
  );
}

async function requirePorts({ takesRolePorts }: LocalCommand, port: number): Promise<void> {
  if (takesRolePorts) {
    await requireFreePorts(port, PORTS);
    return;
  }
  await requireFreePorts(port, STACK_PORTS_BEFORE);
  await requireFreePorts(port + STACK_PORT_AFTER, PORTS - STACK_PORT_AFTER);
}

function readArguments(command: LocalCommand): void {
  const given = process.argv.slice(2);
  if (given.includes('--help') || given.includes('-h')) {
    process.stdout.write(usage(command));
    process.exit(0);
  }
  const unknown = given.filter((argument) => argument !== '--reset');
  if (unknown.length > 0) throw new Error(`Unknown argument ${unknown.join(' ')}.\n${usage(command)}`);
}

function usage({ name, purpose }: LocalCommand): string {
  return `usage: ${name} [-- --reset]

${purpose}
  --reset       forgets everything first: users' tokens, conversations, keys (${name} -- --reset)
  LOCAL_PORT    the first of ten ports, 8000 when absent: LOCAL_PORT=9000 ${name}
`;
}

function sentenceFor({ name }: LocalCommand, error: unknown): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  if (code !== 'EADDRINUSE') return message;
  return `Port ${String(port)} is taken. Stop what uses it, or choose another range of ten ports: LOCAL_PORT=9000 ${name}`;
}
