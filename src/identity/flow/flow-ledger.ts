import { Inject, Injectable, Logger } from '@nestjs/common';
import { AppError, errorFields } from '../../common/errors/index.js';
import { OBJECT_STORE, parseRecord, type ObjectStore } from '../../storage/index.js';
import type { FlowTicket } from './flow-tickets.js';
import { digestOf, flowIdOf, flowRecord, mayFollow, type FlowRecord } from './flow-record.js';

/** A flow as it was read, with the version that the next write must replace. */
export interface LedgerEntry {
  readonly id: string;
  readonly record: FlowRecord;
  readonly version: string;
}

/**
 * The flow ledger: one object for each flow. Writes are conditional, so that a flow is completed at most once across all
 * tasks. The agent role writes `asked`; the session-binding role reads the object and writes all later states. Objects are
 * deleted after a day.
 */
@Injectable()
export class FlowLedger {
  readonly #logger = new Logger(FlowLedger.name);
  readonly #store: ObjectStore;

  constructor(@Inject(OBJECT_STORE) store: ObjectStore) {
    this.#store = store;
  }

  /** Records a new flow. This happens before the user gets a link. @throws AppError `flows_unavailable` */
  async ask(
    { sub, display, consent, customState, expiresAt, sessionUri }: FlowTicket,
    signal?: AbortSignal,
  ): Promise<void> {
    const record: FlowRecord = {
      version: 1,
      state: 'asked',
      sub,
      provider: display.provider,
      ...(display.account !== undefined && { account: display.account }),
      consent,
      customState: digestOf(customState),
      browsers: [],
      updatedAt: Date.now(),
      expiresAt,
    };
    const written = await this.#call(() =>
      this.#store.put(keyOf(flowIdOf(sessionUri)), JSON.stringify(record), { ifAbsent: true }, { signal }),
    );
    // AgentCore Identity gives each session its own URI. A URI that occurs again belongs to an earlier flow.
    if (written === 'conflict') throw new AppError('flows_unavailable', { reason: 'flow_asked_twice' });
  }

  /** @throws AppError `flows_unavailable` */
  async read(sessionUri: string): Promise<LedgerEntry | undefined> {
    const id = flowIdOf(sessionUri);
    const stored = await this.#call(() => this.#store.find(keyOf(id)));
    if (stored === undefined) return undefined;
    const parsed = parseRecord(flowRecord, stored.text);
    if (parsed.success) return { id, record: parsed.data, version: stored.version };
    this.#logger.error({ event: 'flow_unreadable', flow: id });
    throw new AppError('flows_unavailable', { reason: 'flow_unreadable', cause: parsed.error });
  }

  /**
   * The scopes that a flow of this user has authorized; undefined where it is not bound.
   * @throws AppError `flows_unavailable`
   */
  async boundScopes(id: string, sub: string): Promise<readonly string[] | undefined> {
    const stored = await this.#call(() => this.#store.find(keyOf(id)));
    const record = stored === undefined ? undefined : parseRecord(flowRecord, stored.text).data;
    return record?.state === 'bound' && record.sub === sub ? record.consent.scopes : undefined;
  }

  /**
   * Changes the state of a flow. `conflict` means that it has changed since it was read; read it again.
   * @throws AppError `flows_unavailable`
   */
  async advance(
    { id, record, version }: LedgerEntry,
    change: Pick<FlowRecord, 'state'> & Partial<Pick<FlowRecord, 'browsers' | 'completingUntil'>>,
  ): Promise<LedgerEntry | 'conflict'> {
    if (!mayFollow(record.state, change.state))
      throw new TypeError(`a flow must not change from ${record.state} to ${change.state}`);
    const { completingUntil: _, ...rest } = record;
    const next: FlowRecord = { ...rest, ...change, updatedAt: Date.now() };
    const written = await this.#call(() =>
      this.#store.put(keyOf(id), JSON.stringify(next), { ifVersion: version }),
    );
    return written === 'conflict' ? written : { id, record: next, version: written.version };
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#logger.error({ event: 'flow_ledger_failed', ...errorFields(error) });
      throw new AppError('flows_unavailable', { reason: 'store', cause: error });
    }
  }
}

function keyOf(id: string): string {
  return `flows/${id}.json`;
}
