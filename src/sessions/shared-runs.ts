import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { OBJECT_STORE, parseRecord, type ObjectStore } from '../storage/index.js';
import { json, type Json } from './content.js';
import { UserKeys } from './keys.js';
import { TaskLease } from './task-lease.js';

/** A run, as every task names it. */
export interface RunName {
  readonly sub: string;
  readonly sessionId: string;
  readonly runId: string;
}

const WISHES = ['follow', 'stop'] as const;
/** What another task wants of the task that has a run: its events, or its end. */
export type Wish = (typeof WISHES)[number];

const wish = z.tuple([z.enum(WISHES), z.string(), z.string(), z.string()]);
const copy = z.strictObject({ runId: z.string(), events: z.array(json), hasEnded: z.boolean() });
const MAXIMUM_WISHES = 1_000;

/**
 * How tasks reach each other's runs: through the store, because a task accepts connections from the load balancer alone. A
 * wish is an empty object whose key says everything, under the prefix of the task that is to fulfil it.
 */
@Injectable()
export class SharedRuns {
  readonly #store: ObjectStore;
  readonly #lease: TaskLease;

  constructor(@Inject(OBJECT_STORE) store: ObjectStore, lease: TaskLease) {
    this.#store = store;
    this.#lease = lease;
  }

  /** Leaves a wish for another task. It reads its wishes every second. */
  async ask(task: string, what: Wish, { sub, sessionId, runId }: RunName): Promise<void> {
    const name = [what, ...[sub, sessionId, runId].map(encoded)].join('/');
    await this.#store.put(`${wishesOf(task)}${name}`, '{}', { always: true });
  }

  /** The wishes of other tasks, each once. */
  async wishes(): Promise<readonly (RunName & { readonly what: Wish })[]> {
    const prefix = wishesOf(this.#lease.task);
    const listed = await this.#store.list(prefix, MAXIMUM_WISHES);
    await this.#store.delete(listed.map(({ key }) => key));
    return listed.flatMap(({ key }) => {
      const read = wish.safeParse(key.slice(prefix.length).split('/'));
      if (!read.success) return [];
      const [what, ...names] = read.data;
      const [sub = '', sessionId = '', runId = ''] = names.map(decoded);
      return [{ what, sub, sessionId, runId }];
    });
  }

  /** Writes the events of a run so far, for the tasks that follow it. */
  async publish({ sub, sessionId, runId }: RunName, events: Json[], hasEnded: boolean): Promise<void> {
    const text = JSON.stringify({ runId, events, hasEnded } satisfies z.infer<typeof copy>);
    await this.#store.put(new UserKeys(sub).copyOfRun(sessionId), text, { always: true });
  }

  /** The events of another task's run, as far as they were published. */
  async published({ sub, sessionId, runId }: RunName): Promise<Omit<z.infer<typeof copy>, 'runId'>> {
    const stored = await this.#store.get(new UserKeys(sub).copyOfRun(sessionId));
    const read = stored === undefined ? undefined : parseRecord(copy, stored.text).data;
    return read?.runId === runId ? read : { events: [], hasEnded: false };
  }
}

function wishesOf(task: string): string {
  return `tasks/${task}/wishes/`;
}

function encoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64url').toString('utf8');
}
