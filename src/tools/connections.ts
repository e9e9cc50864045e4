import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '../common/errors/index.js';
import { connectionsPrefix, OBJECT_STORE, parseRecord, type ObjectStore } from '../storage/index.js';
import type { Account } from './provider.js';

const rule = z.strictObject({
  id: z.string(),
  tool: z.string(),
  sessionId: z.string(),
  /** The account at the provider, where the provider tells it. */
  accountId: z.string().exactOptional(),
  /** The inputs, by name, that a call must have. */
  within: z.record(z.string(), z.string()),
  /** Unix milliseconds, like all times here. */
  allowedAt: z.number(),
  expiresAt: z.number(),
});

const connection = z.strictObject({
  version: z.literal(1),
  provider: z.string(),
  /** Absent before the first use, and after the user has disconnected it. */
  account: z.strictObject({ id: z.string(), login: z.string() }).exactOptional(),
  scopes: z.array(z.string()),
  updatedAt: z.number(),
  /** When this account was used first. */
  connectedAt: z.number().exactOptional(),
  /** The user has disconnected the provider. Only what was authorized since is used: these scopes, and those of flows that are bound by now. */
  disconnected: z
    .strictObject({ at: z.number(), flows: z.array(z.string()), scopes: z.array(z.string()) })
    .exactOptional(),
  rules: z.array(rule).exactOptional(),
});

/** Writes of a tool, in one conversation, that the user has allowed without a new approval. */
export type Rule = z.infer<typeof rule>;

/** Which account of a provider a user's tools act as, and what the user allows. No token is in it. */
export type Connection = z.infer<typeof connection>;

export interface KnownConnection {
  readonly connection: Connection;
  readonly version: string;
}

/** Conflicting changes of one connection. */
const MAXIMUM_CONFLICTS = 10;
const APART_MS = 40;

/**
 * The users' connections: one object for each user and provider. They do not expire with the conversations: what a user has
 * disconnected must stay so.
 */
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
   * Records the account of a connection, in the place of the one that was read. Rules hold for one account only.
   * @returns false when another call has recorded one in the meantime: read it again
   */
  async record(
    sub: string,
    provider: string,
    { id, login, scopes = [] }: Account,
    before: KnownConnection | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const now = Date.now();
    const same = before?.connection.account?.id === id ? before.connection : undefined;
    const value: Connection = {
      version: 1,
      provider,
      account: { id, login },
      // Each token has its own scopes. The user has authorized all of them.
      scopes: [...new Set([...(same?.scopes ?? []), ...scopes])],
      updatedAt: now,
      connectedAt: same?.connectedAt ?? now,
      ...(same?.rules !== undefined && { rules: same.rules }),
      ...(before?.connection.disconnected !== undefined && { disconnected: before.connection.disconnected }),
    };
    return (await this.#put(sub, value, before, signal)) !== undefined;
  }

  /**
   * Changes a connection, again where another change came first.
   * @param change from what is stored; undefined leaves it as it is
   * @returns the connection as it is afterwards
   */
  async change(
    sub: string,
    provider: string,
    change: (before: Connection) => Connection | undefined,
    signal?: AbortSignal,
  ): Promise<KnownConnection> {
    for (let conflicts = 0; conflicts < MAXIMUM_CONFLICTS; conflicts += 1) {
      const before = await this.read(sub, provider, signal);
      const none: Connection = { version: 1, provider, scopes: [], updatedAt: Date.now() };
      const next = change(before?.connection ?? none);
      if (next === undefined) return before ?? { connection: none, version: '' };
      const written = await this.#put(sub, { ...next, updatedAt: Date.now() }, before, signal);
      if (written !== undefined) return written;
      await delay(Math.random() * APART_MS);
    }
    throw new AppError('sessions_unavailable', { reason: 'connection_changes_too_fast' });
  }

  async #put(
    sub: string,
    value: Connection,
    before: KnownConnection | undefined,
    signal?: AbortSignal,
  ): Promise<KnownConnection | undefined> {
    const condition = before === undefined ? ({ ifAbsent: true } as const) : { ifVersion: before.version };
    const key = keyOf(sub, value.provider);
    const written = await this.#store.put(key, JSON.stringify(value), condition, { signal });
    return written === 'conflict' ? undefined : { connection: value, version: written.version };
  }
}

function keyOf(sub: string, provider: string): string {
  return `${connectionsPrefix(sub)}${provider}.json`;
}
