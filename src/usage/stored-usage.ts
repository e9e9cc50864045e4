import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { TaskLease } from '../sessions/index.js';
import { OBJECT_STORE, parseRecord, userPrefix, type ObjectStore } from '../storage/index.js';
import { DAY_MS, dayOf } from './day.js';
import { figures, NOTHING, sum, type Figures } from './figures.js';

const record = figures.extend({ version: z.literal(1) });
const MAXIMUM_OBJECTS = 1_000;

/** The figures in the bucket: one object for each user, day and task, which its task alone writes. */
@Injectable()
export class StoredUsage {
  readonly #store: ObjectStore;
  readonly #lease: TaskLease;

  constructor(@Inject(OBJECT_STORE) store: ObjectStore, lease: TaskLease) {
    this.#store = store;
    this.#lease = lease;
  }

  /** Writes what a user has taken of this task. @throws AppError `sessions_unavailable` */
  async write(sub: string, day: string, own: Figures): Promise<void> {
    const text = JSON.stringify({ version: 1, ...own } satisfies z.infer<typeof record>);
    await this.#store.put(`${prefixOf(sub)}${nameOf(day, this.#lease.task)}`, text, { always: true });
  }

  /** What a user has taken of all other tasks. @throws AppError `sessions_unavailable` */
  async ofOthers(sub: string, day: string): Promise<Figures> {
    const prefix = prefixOf(sub);
    const listed = await this.#store.list(prefix, MAXIMUM_OBJECTS);
    const names = listed.map(({ key }) => key.slice(prefix.length));
    await this.#deleteOld(prefix, names);
    const others = names.filter(
      (name) => name.startsWith(`${day}/`) && name !== nameOf(day, this.#lease.task),
    );
    return sum(await Promise.all(others.map((name) => this.#read(prefix, name))));
  }

  /** The runs of a task that has died are over, whatever its last figures say. */
  async #read(prefix: string, name: string): Promise<Figures> {
    const stored = await this.#store.get(`${prefix}${name}`);
    const read = stored === undefined ? undefined : parseRecord(record, stored.text).data;
    if (read === undefined) return NOTHING;
    const { version: _, ...taken } = read;
    const isAlive = taken.running > 0 && (await this.#lease.isAlive(taskOf(name)));
    return isAlive ? taken : { ...taken, running: 0 };
  }

  /** Nobody needs a day that is over. Yesterday stays, because the clocks of tasks differ. */
  async #deleteOld(prefix: string, names: readonly string[]): Promise<void> {
    const yesterday = dayOf(Date.now() - DAY_MS);
    const old = names.filter((name) => name < yesterday).map((name) => `${prefix}${name}`);
    if (old.length > 0) await this.#store.delete(old);
  }
}

function prefixOf(sub: string): string {
  return `${userPrefix(sub)}usage/`;
}

function nameOf(day: string, task: string): string {
  return `${day}/${task}.json`;
}

function taskOf(name: string): string {
  return name.replace(/^.*\//, '').replace(/\.json$/, '');
}
