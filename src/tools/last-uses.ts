import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { errorFields } from '../common/errors/index.js';
import { connectionsPrefix, OBJECT_STORE, parseRecord, type ObjectStore } from '../storage/index.js';

const lastUse = z.strictObject({
  version: z.literal(1),
  tool: z.string(),
  sessionId: z.string(),
  /** Unix milliseconds. */
  at: z.number(),
});

/** Which tool used a connection last, and in which conversation. */
export type LastUse = Omit<z.infer<typeof lastUse>, 'version'>;

const WRITTEN_EVERY_MS = 30_000;

/** The last use of each connection. A task writes those that it has seen twice a minute, so that no call waits for it. */
@Injectable()
export class LastUses implements OnModuleInit, OnModuleDestroy {
  readonly #logger = new Logger(LastUses.name);
  readonly #store: ObjectStore;
  /** By key, not written yet. */
  readonly #seen = new Map<string, LastUse>();
  #timer: NodeJS.Timeout | undefined;

  constructor(@Inject(OBJECT_STORE) store: ObjectStore) {
    this.#store = store;
  }

  onModuleInit(): void {
    this.#timer = setInterval(() => void this.flush(), WRITTEN_EVERY_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  note(sub: string, provider: string, use: LastUse): void {
    this.#seen.set(keyOf(sub, provider), use);
  }

  /** Undefined where there was none, or it cannot be read. */
  async read(sub: string, provider: string): Promise<LastUse | undefined> {
    const key = keyOf(sub, provider);
    const stored = await this.#store.get(key).catch(() => undefined);
    const written = stored === undefined ? undefined : parseRecord(lastUse, stored.text).data;
    const seen = this.#seen.get(key);
    const latest = (written?.at ?? 0) > (seen?.at ?? 0) ? written : seen;
    return latest && { tool: latest.tool, sessionId: latest.sessionId, at: latest.at };
  }

  /** Writes the uses that were seen since. A use that could not be written is tried again the next time. */
  async flush(): Promise<void> {
    const uses = [...this.#seen];
    this.#seen.clear();
    await Promise.all(
      uses.map(async ([key, use]) => {
        try {
          await this.#store.put(key, JSON.stringify({ version: 1, ...use }), { always: true });
        } catch (error) {
          this.#logger.warn({ event: 'last_use_not_written', ...errorFields(error) });
          if (!this.#seen.has(key)) this.#seen.set(key, use);
        }
      }),
    );
  }
}

function keyOf(sub: string, provider: string): string {
  return `${connectionsPrefix(sub)}${provider}.use.json`;
}
