import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** https://docs.kernel.org/networking/proc_net_tcp.html */
const LISTENS = '0A';
const LONGEST_COMMAND = 100;

/** A process of this machine. */
export interface Holder {
  readonly pid: number;
  readonly command: string;
}

/** The process that listens at a port. Undefined where this user may not see it, or the system does not tell. */
export function holderOf(port: number): Holder | undefined {
  const found = process.platform === 'linux' ? fromProc(port) : fromLsof(port);
  return found && { ...found, command: found.command.trim().slice(0, LONGEST_COMMAND) };
}

function fromProc(port: number): Holder | undefined {
  const sockets = new Set(
    ['tcp', 'tcp6']
      .flatMap((table) => listening(read(`/proc/net/${table}`), port))
      .map((inode) => `socket:[${inode}]`),
  );
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    const files = `/proc/${pid}/fd`;
    if (list(files).some((file) => sockets.has(linkOf(`${files}/${file}`))))
      return { pid: Number(pid), command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ') };
  }
  return undefined;
}

/** The inodes of the sockets that listen at the port. */
function listening(table: string, port: number): readonly string[] {
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.flatMap(([, local = '', , state, , , , , , inode = '']) =>
    state === LISTENS && Number.parseInt(local.split(':')[1] ?? '', 16) === port ? [inode] : [],
  );
}

function fromLsof(port: number): Holder | undefined {
  const { stdout } = spawnSync('lsof', ['-nP', '-t', `-iTCP:${String(port)}`, '-sTCP:LISTEN'], {
    encoding: 'utf8',
  });
  const pid = Number.parseInt(stdout, 10);
  if (Number.isNaN(pid)) return undefined;
  const { stdout: command } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return { pid, command };
}

/** A process may end, or be another user's, while it is looked at. */
function tolerant<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function read(file: string): string {
  return tolerant(() => readFileSync(file, 'utf8'), '');
}

function list(folder: string): readonly string[] {
  return tolerant(() => readdirSync(folder), []);
}

function linkOf(file: string): string {
  return tolerant(() => readlinkSync(file), '');
}
