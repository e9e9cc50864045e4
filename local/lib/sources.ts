import { cpSync, globSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { transformFile } from '@swc/core';
import { SWC_OPTIONS } from '../../scripts/lib/swc.mjs';

const OF_TESTS = /\.spec\.ts$|[\\/]testing[\\/]/;
/** The files that the roles read beside their code. */
const ASSET = /[\\/]assets[\\/]/;

/**
 * A folder of sources and the folder with the compiled files. Files are compiled one by one, without a check of the types.
 */
export class Sources {
  readonly from: string;
  readonly #to: string;

  constructor(from: string, to: string) {
    this.from = from;
    this.#to = to;
  }

  /** Compiles all files again. */
  async compileAll(): Promise<void> {
    rmSync(this.#to, { recursive: true, force: true });
    await Promise.all(globSync('**/*', { cwd: this.from }).map((file) => this.compile(file)));
  }

  /**
   * Compiles or copies one file, or removes its output when the file no longer exists. When the file has a syntax error, it
   * rejects and keeps the previous output.
   *
   * @param file relative to the folder of sources
   */
  async compile(file: string): Promise<void> {
    const source = join(this.from, file);
    const target = join(this.#to, file.replace(/\.ts$/, '.js'));
    if (OF_TESTS.test(file)) return;
    if (statSync(source, { throwIfNoEntry: false })?.isFile() !== true) {
      if (statSync(source, { throwIfNoEntry: false }) === undefined)
        rmSync(target, { recursive: true, force: true });
      return;
    }
    if (file.endsWith('.ts')) {
      write(target, await compiled(source));
    } else if (ASSET.test(file)) {
      cpSync(source, target);
    }
  }
}

async function compiled(source: string): Promise<string> {
  try {
    return (await transformFile(source, { ...SWC_OPTIONS, swcrc: false, sourceFileName: resolve(source) }))
      .code;
  } catch (error) {
    // The rest of the message describes the compiler's internal path to the error.
    const [where = ''] = (error as Error).message.split('\n\nCaused by:');
    throw new Error(`${source} does not compile:\n${where.trim()}`, { cause: error });
  }
}

function write(target: string, text: string): void {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}
