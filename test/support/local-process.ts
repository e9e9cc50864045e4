import { spawn, type ChildProcess } from 'node:child_process';

/** `npm start` or a command like it, as a process of its own. */
export interface LocalProcess {
  readonly child: ChildProcess;
  /** Everything that it has written so far. */
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

/** Starts a file of `local` in the way of the npm scripts. */
export function startLocal(
  file: string,
  { port, parameters = [], folder }: { port: number; parameters?: readonly string[]; folder?: string },
): LocalProcess {
  const child = spawn(process.execPath, ['scripts/run.mjs', file, ...parameters], {
    env: { ...process.env, LOCAL_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(folder !== undefined && { cwd: folder }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output, exit: new Promise((done) => child.on('exit', done)) };
}
