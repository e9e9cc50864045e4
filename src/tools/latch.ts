import { Injectable } from '@nestjs/common';
import { FlowLedger, flowIdOf } from '../identity/flow/index.js';
import { Connections, type Connection, type KnownConnection } from './connections.js';

/** A connection, and whether its tokens may be used. */
export interface Admission {
  /** Undefined before the first use. */
  readonly known: KnownConnection | undefined;
  /** The user has disconnected the provider, and has not authorized it again. */
  readonly isClosed: boolean;
}

/** The user may have let some links expire. */
const MAXIMUM_FLOWS = 30;

/**
 * Keeps the tools away from a provider that the user has disconnected. The vault has no way to forget a token, so what it
 * gives out for some scopes is not used until the flow ledger says that the user has authorized these anew.
 */
@Injectable()
export class Latch {
  readonly #connections: Connections;
  readonly #ledger: FlowLedger;

  constructor(connections: Connections, ledger: FlowLedger) {
    [this.#connections, this.#ledger] = [connections, ledger];
  }

  /**
   * Reads a connection, and opens it for the scopes of flows that have been bound since.
   * @param scopes those that a call needs
   * @throws AppError
   */
  async admit(
    sub: string,
    provider: string,
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<Admission> {
    const known = await this.#connections.read(sub, provider, signal);
    const disconnected = known?.connection.disconnected;
    if (disconnected === undefined || covers(disconnected.scopes, scopes)) return { known, isClosed: false };
    const bound = new Map<string, readonly string[]>();
    await Promise.all(
      disconnected.flows.map(async (flow) => {
        const authorized = await this.#ledger.boundScopes(flow, sub);
        if (authorized !== undefined) bound.set(flow, authorized);
      }),
    );
    if (bound.size === 0) return { known, isClosed: true };
    const opened = await this.#connections.change(
      sub,
      provider,
      (before) =>
        before.disconnected?.at === disconnected.at
          ? { ...before, disconnected: openedBy(before.disconnected, bound) }
          : undefined,
      signal,
    );
    return { known: opened, isClosed: !covers(opened.connection.disconnected?.scopes ?? [], scopes) };
  }

  /** Closes a connection, and forgets its account and its rules. @throws AppError */
  async close(sub: string, provider: string): Promise<void> {
    await this.#connections.change(sub, provider, () => ({
      version: 1,
      provider,
      scopes: [],
      updatedAt: 0,
      disconnected: { at: Date.now(), flows: [], scopes: [] },
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

type Disconnected = NonNullable<Connection['disconnected']>;

function openedBy(
  { at, flows, scopes }: Disconnected,
  bound: ReadonlyMap<string, readonly string[]>,
): Disconnected {
  return {
    at,
    flows: flows.filter((flow) => !bound.has(flow)),
    scopes: [...new Set([...scopes, ...[...bound.values()].flat()])],
  };
}

function covers(all: readonly string[], some: readonly string[]): boolean {
  return some.every((each) => all.includes(each));
}
