import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Readable } from 'node:stream';

/** Vite builds the pages from `web/` into this folder: two pages, and in `assets` what they load. */
const BUILT = join(import.meta.dirname, 'built');
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** A name with the digest of its content. */
const HASHED = /-[\w-]{8}\.\w+$/;

/** A file that the pages load. */
export interface Asset {
  readonly type: string;
  /** Its name changes with its content. */
  readonly isUnchanging: boolean;
  readonly content: Readable;
}

/** The files of the pages. Only what was there at the start is served. */
export class BuiltPages {
  /** Each undefined where nothing was built. */
  readonly chat: string | undefined;
  readonly docs: string | undefined;
  readonly #folder: string;
  readonly #names: ReadonlySet<string>;

  constructor(folder = BUILT) {
    const isBuilt = existsSync(folder);
    this.#folder = join(folder, 'assets');
    const page = (name: string): string | undefined =>
      isBuilt ? readFileSync(join(folder, name), 'utf8') : undefined;
    [this.chat, this.docs] = [page('index.html'), page('docs.html')];
    this.#names = new Set(isBuilt ? readdirSync(this.#folder) : []);
  }

  asset(name: string): Asset | undefined {
    const type = TYPES[extname(name)];
    if (!this.#names.has(name) || type === undefined) return undefined;
    return { type, isUnchanging: HASHED.test(name), content: createReadStream(join(this.#folder, name)) };
  }
}
