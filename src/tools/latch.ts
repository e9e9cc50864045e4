import { Injectable } from '@nestjs/common';
import { FlowLedger, flowIdOf } from '../identity/flow/index.js';
import { Connections, type KnownConnection } from './connections.js';

/** A connection, and whether its tokens may be used. */
export interface Admission {
  /** Undefined before the first use. */
  readonly known: KnownConnection | undefined;
  /** The user has disconnected the provider, and has not authorized it again. */
  readonly isClosed: boolean;
}

/** The user may have let some links expire. */
const MAXIMUM_FLOWS = 8;

/**
 * Keeps the tools away from a provider that the user has disconnected. The vault has no way to forget a token, so what it
 * gives out is not used until the flow ledger says that the user has authorized anew.
 */
@Injectable()
export class Latch {
  readonly #connections: Connections;
  readonly #ledger: FlowLedger;

  constructor(connections: Connections, ledger: FlowLedger) {
    [this.#connections, this.#ledger] = [connections, ledger];
  }

  /** Reads a connection, and opens it where a flow has been bound since. @throws AppError */
  async admit(sub: string, provider: string, signal?: AbortSignal): Promise<Admission> {
    const known = await this.#connections.read(sub, provider, signal);
    const disconnected = known?.connection.disconnected;
    if (disconnected === undefined) return { known, isClosed: false };
    const bound = await Promise.all(disconnected.flows.map((flow) => this.#ledger.isBound(flow, sub)));
    if (!bound.includes(true)) return { known, isClosed: true };
    const opened = await this.#connections.change(
      sub,
      provider,
      ({ disconnected: now, ...rest }) => (now?.at === disconnected.at ? rest : undefined),
      signal,
    );
    return { known: opened, isClosed: opened.connection.disconnected !== undefined };
  }

  /** Closes a connection, and forgets its account and its rules. @throws AppError */
  async close(sub: string, provider: string): Promise<void> {
    await this.#connections.change(sub, provider, () => ({
      version: 1,
      provider,
      scopes: [],
      updatedAt: 0,
      disconnected: { at: Date.now(), flows: [] },
    }));
  }

  /** The user is about to be asked for this authorization, which opens the connection when it is bound. @throws AppError */
  async note(sub: string, provider: string, sessionUri: string, signal?: AbortSignal): Promise<void> {
    const flow = flowIdOf(sessionUri);
    await this.#connections.change(
      sub,
      provider,
      ({ disconnected, ...rest }) =>
        disconnected === undefined
          ? undefined
          : {
              ...rest,
              disconnected: { ...disconnected, flows: [...disconnected.flows, flow].slice(-MAXIMUM_FLOWS) },
            },
      signal,
    );
  }
}
