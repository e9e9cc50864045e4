import { relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildPages } from '../../scripts/lib/build.mjs';
import type { LocalStack } from '../stack.ts';
import { startBothRoles, type BothRoles } from './both-roles.ts';
import { say, type Place } from './local-command.ts';
import { Sources } from './sources.ts';

const SOURCES = 'src';
const PAGES = 'web';
/** The folders whose changes count. */
export const WATCHED = [SOURCES, PAGES];
/** The time within which an editor saves several files at once. */
const TOGETHER_MS = 60;

/** Compiles and restarts both roles after each change. The previous roles serve until the new ones are ready. */
export class RolesFromSources {
  readonly #stack: LocalStack;
  readonly #place: Place;
  readonly #sources: Sources;
  readonly #entry: string;
  readonly #pages: string;
  readonly #changed = new Map<string, number>();
  readonly #leaving = new Set<Promise<void>>();
  #serving: BothRoles | undefined;
  #work: Promise<void> | undefined;
  #stopped = false;

  constructor(stack: LocalStack, place: Place) {
    this.#stack = stack;
    this.#place = place;
    const compiled = `${place.folder}/dev`;
    this.#sources = new Sources(SOURCES, compiled);
    this.#entry = `${compiled}/main.js`;
    this.#pages = resolve(compiled, 'pages/built');
  }

  /** Rejects when the sources do not compile, or a role does not start. */
  async start(): Promise<void> {
    this.#work = this.#sources
      .compileAll()
      .then(() => buildPages(this.#pages))
      .then(() => this.#replace());
    await this.#work;
    this.#work = this.#follow().finally(() => (this.#work = undefined));
  }

  /** @param file in one of the watched folders */
  changed(file: string): void {
    if (!this.#changed.has(file)) this.#changed.set(file, Date.now());
    this.#work ??= this.#follow().finally(() => (this.#work = undefined));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
    await Promise.all([this.#serving?.stop(), ...this.#leaving]);
  }

  /** Applies changes until there are none left. */
  async #follow(): Promise<void> {
    while (this.#changed.size > 0 && !this.#stopped) {
      await delay(TOGETHER_MS);
      const since = Math.min(...this.#changed.values());
      const files = [...this.#changed.keys()].sort();
      this.#changed.clear();
      try {
        await this.#build(files);
        await this.#replace();
        say(`${nameOf(files)} changed. Both roles run it after ${seconds(Date.now() - since)} s.`);
      } catch (error) {
        const { message } = error as Error;
        say(`${nameOf(files)} changed, but the previous roles still run: ${message}`);
      }
    }
  }

  async #build(files: readonly string[]): Promise<void> {
    const [pages = [], sources = []] = [PAGES, SOURCES].map((folder) =>
      files.filter((file) => file.startsWith(`${folder}/`)).map((file) => relative(folder, file)),
    );
    await Promise.all(sources.map((file) => this.#sources.compile(file)));
    if (pages.length > 0) await buildPages(this.#pages);
  }

  /** The load balancer sends new requests to the new roles when both are ready. */
  async #replace(): Promise<void> {
    const before = this.#serving;
    const roles = await startBothRoles(this.#stack, { entry: this.#entry, logDirectory: this.#place.logs });
    this.#serving = roles;
    this.#tellOfAnEnd(roles);
    if (before === undefined) return;
    const leaving = before.stop();
    this.#leaving.add(leaving);
    void leaving.finally(() => this.#leaving.delete(leaving));
  }

  #tellOfAnEnd(roles: BothRoles): void {
    for (const [name, role] of [
      ['agent', roles.agent],
      ['session-binding', roles.sessionBinding],
    ] as const) {
      void role.exited.then((code) => {
        if (this.#stopped || this.#serving !== roles) return;
        say(`The role ${name} has ended (exit code ${String(code)}). Its log: ${this.#place.logs}/${name}.log
It restarts after the next change.`);
      });
    }
  }
}

function nameOf([first = '', ...more]: readonly string[]): string {
  const others = more.length === 0 ? '' : ` and ${String(more.length)} more`;
  return `${first}${others}`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
