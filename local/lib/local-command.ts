import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { EnvironmentOwner } from './environment.ts';
import { NO_FILE, readStackFile, type StackFile } from '../stack-file.ts';
import { PORTS, type LocalStack, type PartialStack, type StackOptions } from '../stack.ts';
import { holderOf } from './port-holder.ts';
import { requireFreePorts } from './role-process.ts';
import { watchStarter } from './starter.ts';

/** A command that starts the local stack and programs on it, and runs until it is stopped. */
export interface LocalCommand<Stack extends PartialStack = LocalStack> {
  /** The command as a user types it: `npm start`. */
  readonly name: string;
  /** The sentence in its help that says what it does. */
  readonly purpose: string;
  /** The things that it starts: "the local stack and both roles". */
  readonly starts: string;
  readonly startStack: (options: StackOptions) => Promise<Stack>;
  /** Whether programs of any kind use the stack: a file may leave parts out, and other machines may reach it. */
  readonly servesAnyProgram?: true;
  /** Whether the command itself uses the two ports of the roles. */
  readonly takesRolePorts: boolean;
  /** The files that must exist before the command starts. */
  readonly prepare?: () => Promise<void>;
  readonly begin: (stack: Stack, place: Place) => Promise<Running>;
}

export interface Running {
  /** The text that the command prints when everything is ready. */
  readonly screen: string;
  /** Stops everything that `begin` has started, except the stack, which is stopped separately. */
  stop(): Promise<void>;
  /** Resolves with a sentence when a process has ended unexpectedly. */
  readonly broken?: Promise<string>;
}

/**
 * The places where a command keeps its state. Each range of ports has its own folder, because the addresses are part of the
 * state.
 */
export interface Place {
  readonly port: number;
  readonly folder: string;
  readonly state: string;
  readonly logs: string;
}

/** The offsets of the roles and of the other parts of the stack from the first port. */
export const ROLE_PORTS = { agent: 7, 'session-binding': 8 } as const;
const STACK_PORTS_BEFORE = 7;
const STACK_PORT_AFTER = 9;
const DEFAULT_PORT = 8000;
const STARTER_CHECK_MS = 500;
/** Milliseconds between two words of the local model: slow enough to see the streaming. */
const WORD_DELAY_MS = 25;

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Runs a command until a signal stops it, then ends the process. */
export async function runCommand<Stack extends PartialStack>(command: LocalCommand<Stack>): Promise<void> {
  try {
    await start(command);
  } catch (error) {
    process.stderr.write(`${sentenceFor(command, error)}\n`);
    process.exit(1);
  }
}

async function start<Stack extends PartialStack>(command: LocalCommand<Stack>): Promise<void> {
  const { file, resets, ...reach } = readArguments(command);
  const port = portOf(process.env.LOCAL_PORT, file.port);
  const folder = `.onbehalf/${String(port)}`;
  const place = { port, folder, state: `${folder}/state`, logs: `${folder}/logs` };
  // Where parts are left out or moved, a part that finds its port taken says so itself.
  if (file.parts === undefined && Object.keys(file.ports).length === 0) await requirePorts(command, port);
  if (resets) {
    rmSync(place.state, { recursive: true, force: true });
    say('The local state has been cleared.');
  }
  await command.prepare?.();
  for (const each of [place.state, place.logs]) mkdirSync(each, { recursive: true, mode: 0o700 });
  say(`Starting ${command.starts} …`);
  const stack = await command.startStack({
    port,
    stateDirectory: place.state,
    wordDelayMs: WORD_DELAY_MS,
    inspect: true,
    file,
    ...reach,
  });
  try {
    writeEnvironment(environmentFile('operator', place), stack.environment('operator'));
    const running = await command.begin(stack, place);
    endWith(stack, running);
    say(running.screen);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

/** The environment file of a program. "operator" is for `npm run doctor`, and every command writes it. */
export function environmentFile(owner: EnvironmentOwner, { folder }: Place): string {
  return `${folder}/${owner}.env`;
}

/** Writes an environment file that only its owner may read, and returns its text. */
export function writeEnvironment(file: string, variables: Readonly<Record<string, string>>): string {
  const text = Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
  writeFileSync(file, text, { mode: 0o600 });
  // Writing to an existing file does not change its mode.
  chmodSync(file, 0o600);
  return text;
}

function endWith(stack: Pick<PartialStack, 'close'>, running: Running): void {
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
  // npm's shell does not pass on the signal that ends it.
  const isGone = watchStarter();
  setInterval(() => {
    if (isGone()) end('npm has ended. Stopping …', 0);
  }, STARTER_CHECK_MS).unref();
  void running.broken?.then((why) => {
    end(why, 1);
  });
}

function portOf(ofShell = '', ofFile = DEFAULT_PORT): number {
  const [name, value] = ofShell === '' ? ['"port" in the file', String(ofFile)] : ['LOCAL_PORT', ofShell];
  const port = Number(value);
  if (/^\d{4,5}$/.test(value) && port >= 1024 && port <= 65_535 - PORTS) return port;
  throw new Error(
    `${name} must be a port from 1024 to ${String(65_535 - PORTS)}; the ${String(PORTS - 1)} ports after it are used too.`,
  );
}

async function requirePorts(
  { takesRolePorts }: Pick<LocalCommand, 'takesRolePorts'>,
  port: number,
): Promise<void> {
  if (takesRolePorts) {
    await requireFreePorts(port, PORTS);
    return;
  }
  await requireFreePorts(port, STACK_PORTS_BEFORE);
  await requireFreePorts(port + STACK_PORT_AFTER, PORTS - STACK_PORT_AFTER);
}

type Named = Pick<LocalCommand, 'name' | 'purpose' | 'servesAnyProgram'>;

interface Arguments extends Pick<StackOptions, 'address' | 'host'> {
  readonly file: StackFile;
  readonly resets: boolean;
}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  reset: { type: 'boolean' },
  config: { type: 'string' },
  listen: { type: 'string' },
  host: { type: 'string' },
} as const;
const REACH = `  --listen      the address of this machine where the parts listen; the default is loopback, which no other machine reaches
  --host        the name of this machine in the parts' URLs, for programs elsewhere
`;
const HOST_NAME = /^[a-z0-9.-]{1,253}$/i;

function readArguments(command: Named): Arguments {
  const values = valuesOf(command);
  if (values.help === true) {
    process.stdout.write(usage(command));
    process.exit(0);
  }
  const { config, listen, host } = values;
  const file = config === undefined ? NO_FILE : readStackFile(config);
  if (file.parts !== undefined && command.servesAnyProgram !== true)
    throw new Error(`${command.name} starts every part: leave "parts" out of the file.`);
  if (listen !== undefined && isIP(listen) === 0)
    throw new Error('--listen must be an address of this machine, such as 0.0.0.0.');
  if (host !== undefined && !HOST_NAME.test(host))
    throw new Error('--host must be a name by which this machine is reached, without a port.');
  return {
    file,
    resets: values.reset === true,
    ...(listen !== undefined && { address: listen }),
    ...(host !== undefined && { host }),
  };
}

/** @throws Error with the usage, for an argument that the command does not take */
function valuesOf(
  command: Named,
): ReturnType<typeof parseArgs<{ readonly args: string[]; readonly options: typeof OPTIONS }>>['values'] {
  const args = process.argv.slice(2);
  const unknown = `Unknown argument ${args.join(' ')}.\n${usage(command)}`;
  try {
    const { values } = parseArgs({ args, options: OPTIONS });
    if (command.servesAnyProgram === true || (values.listen ?? values.host) === undefined) return values;
  } catch (error) {
    throw new Error(unknown, { cause: error });
  }
  throw new Error(unknown);
}

function usage({ name, purpose, servesAnyProgram }: Named): string {
  // npm takes what stands before "--" for itself.
  const separator = name.startsWith('npm ') ? ' --' : '';
  const more = servesAnyProgram === true ? ' [--listen ADDRESS] [--host NAME]' : '';
  return `usage: ${name}${separator} [--reset] [--config FILE]${more}

${purpose}
  --reset       first deletes all state: users' tokens, conversations, keys (${name}${separator} --reset)
  --config      a file that says what else the stack has, such as users, clients and workloads; docs/local-stack.md
${more === '' ? '' : REACH}  LOCAL_PORT    the first of eleven ports; the default is 8000: LOCAL_PORT=9000 ${name}
`;
}

function sentenceFor({ name }: Named, error: unknown): string {
  const { code, port = 0, message } = error as NodeJS.ErrnoException & { port?: number };
  if (code !== 'EADDRINUSE') return message;
  const holder = holderOf(port);
  const [by, how] =
    holder === undefined
      ? ['', 'Stop the program that uses it']
      : [
          ` by process ${String(holder.pid)} (${holder.command})`,
          `Stop that process (kill ${String(holder.pid)})`,
        ];
  return `Port ${String(port)} is taken${by}. ${how}, or choose another range of eleven ports: LOCAL_PORT=9000 ${name}`;
}
