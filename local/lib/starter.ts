import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SHELL = /^(?:.*\/)?-?(?:sh|ash|bash|dash|zsh)$/;

interface Ancestor {
  readonly parent: number;
  readonly command: string;
}

/**
 * Watches what has started this process: its parent, and npm where that is its parent's parent. npm starts a shell, which
 * stays when npm is killed.
 *
 * @returns a function that tells whether one of them is gone
 */
export function watchStarter(): () => boolean {
  const shell = process.ppid;
  const found = process.env.npm_lifecycle_event === undefined ? undefined : ancestor(shell);
  const npm = found !== undefined && SHELL.test(found.command) ? found.parent : undefined;
  return () => process.ppid !== shell || (npm !== undefined && ancestor(shell)?.parent !== npm);
}

/** The parent and the command of a process, as the system tells them. */
function ancestor(pid: number): Ancestor | undefined {
  try {
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const [, command = '', parent = ''] =
      /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')) ?? [];
    return { parent: Number(parent), command };
  } catch {
    const { stdout } = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' });
    const [, parent, command] = /^\s*(\d+)\s+(.*)$/m.exec(stdout) ?? [];
    return parent === undefined || command === undefined ? undefined : { parent: Number(parent), command };
  }
}
