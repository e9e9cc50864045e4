import { spawn, type ChildProcess } from 'node:child_process';

/** `npm start` or a similar command, as a separate process. */
export interface LocalProcess {
  readonly child: ChildProcess;
  /** Everything that the process has written so far. */
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

/** Starts a file of `local` like the npm scripts do. */
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
