import { randomBytes } from 'node:crypto';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { errorFields } from '../common/errors/index.js';
import {
  latestFirst,
  OBJECT_STORE,
  parseRecord,
  receiptsPrefix,
  type ObjectStore,
} from '../storage/index.js';
import { receipt, type NewReceipt, type Receipt } from './receipt.js';

const RANDOM_BYTES = 6;

/** Some receipts of a user, the latest first. */
export interface ReceiptPage {
  readonly receipts: readonly Receipt[];
  /** The name of the last one, where there may be more. */
  readonly next?: string;
}

/**
 * The receipts of users: one object each, named so that the latest comes first. They are written once and never changed, and
 * stay when a conversation is deleted.
 */
@Injectable()
export class Receipts implements OnApplicationShutdown {
  readonly #logger = new Logger(Receipts.name);
  readonly #store: ObjectStore;
  readonly #writing = new Set<Promise<boolean>>();

  constructor(@Inject(OBJECT_STORE) store: ObjectStore) {
    this.#store = store;
  }

  /**
   * Writes a receipt. It never rejects: what it tells of is done, and the audit trail has it too.
   * @returns whether it was written
   */
  write(sub: string, what: NewReceipt): Promise<boolean> {
    const writing = this.#write(sub, what);
    this.#writing.add(writing);
    void writing.then(() => this.#writing.delete(writing));
    return writing;
  }

  /**
   * A page: one request for it, and one for each of its receipts.
   * @param after the name of a receipt
   * @throws AppError `sessions_unavailable`
   */
  async page(sub: string, limit: number, after?: string): Promise<ReceiptPage> {
    const prefix = receiptsPrefix(sub);
    const from = after === undefined ? undefined : { after: prefix + after };
    const listed = await this.#store.list(prefix, limit, from);
    const read = await Promise.all(listed.map(({ key }) => this.#read(key)));
    const last = listed.at(-1);
    return {
      receipts: read.filter((each) => each !== undefined),
      ...(last !== undefined && listed.length === limit && { next: last.key.slice(prefix.length) }),
    };
  }

  /** Waits for what is being written. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#writing);
  }

  async #write(sub: string, what: NewReceipt): Promise<boolean> {
    const at = Date.now();
    const name = `${latestFirst(at)}-${randomBytes(RANDOM_BYTES).toString('hex')}`;
    const text = JSON.stringify({ version: 1, at, ...what } satisfies Receipt);
    try {
      await this.#store.put(`${receiptsPrefix(sub)}${name}`, text, { ifAbsent: true });
      return true;
    } catch (error) {
      this.#logger.error({ event: 'receipt_not_written', kind: what.kind, ...errorFields(error) });
      return false;
    }
  }

  /** One that cannot be read does not hide the others. */
  async #read(key: string): Promise<Receipt | undefined> {
    const stored = await this.#store.get(key);
    if (stored === undefined) return undefined;
    const { data } = parseRecord(receipt, stored.text);
    if (data === undefined) this.#logger.error({ event: 'receipt_unreadable' });
    return data;
  }
}
