import { Inject, Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '../common/errors/index.js';
import { OBJECT_STORE, parseRecord, userPrefix, type ObjectStore } from '../storage/index.js';
import type { Account } from './provider.js';

const connection = z.strictObject({
  version: z.literal(1),
  provider: z.string(),
  account: z.strictObject({ id: z.string(), login: z.string() }),
  scopes: z.array(z.string()),
  /** Unix milliseconds. */
  updatedAt: z.number(),
});

/** Which account of a provider a user's tools act as. No token is in it. */
export type Connection = z.infer<typeof connection>;

export interface KnownConnection {
  readonly connection: Connection;
  readonly version: string;
}

/** The users' connections: one object for each user and provider, beside the user's conversations. */
@Injectable()
export class Connections {
  readonly #logger = new Logger(Connections.name);
  readonly #store: ObjectStore;

  constructor(@Inject(OBJECT_STORE) store: ObjectStore) {
    this.#store = store;
  }

  /** @throws AppError `sessions_unavailable`: the store does not answer, or what it keeps cannot be read */
  async read(sub: string, provider: string, signal?: AbortSignal): Promise<KnownConnection | undefined> {
    const stored = await this.#store.get(keyOf(sub, provider), signal);
    if (stored === undefined) return undefined;
    const parsed = parseRecord(connection, stored.text);
    if (parsed.success) return { connection: parsed.data, version: stored.version };
    this.#logger.error({ event: 'connection_unreadable', provider });
    throw new AppError('sessions_unavailable', { reason: 'connection_unreadable', cause: parsed.error });
  }

  /**
   * Records the account of a connection, in the place of the one that was read.
   * @returns false when another call has recorded one in the meantime: read it again
   */
  async record(
    sub: string,
    provider: string,
    { id, login, scopes = [] }: Account,
    before: KnownConnection | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const value: Connection = {
      version: 1,
      provider,
      account: { id, login },
      scopes: [...scopes],
      updatedAt: Date.now(),
    };
    const condition = before === undefined ? ({ ifAbsent: true } as const) : { ifVersion: before.version };
    const written = await this.#store.put(keyOf(sub, provider), JSON.stringify(value), condition, { signal });
    return written !== 'conflict';
  }
}

function keyOf(sub: string, provider: string): string {
  return `${userPrefix(sub)}connections/${provider}.json`;
}
