import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FaultSwitch } from './faults.ts';

/**
 * One part of the local stack. `url` is its address, `faults` makes it fail on purpose, `reset` deletes its state, and
 * `close` ends every connection and frees the port.
 */
export interface Part {
  readonly url: string;
  readonly faults: FaultSwitch;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Where a part listens. Port 0 takes a free port. */
export interface Listen {
  readonly port?: number;
  /** The address of this machine; loopback when absent, so that other machines reach no part. */
  readonly address?: string;
  /** The name in the part's URL; the loopback address when absent. */
  readonly host?: string;
  /** Sees each request before it is answered. */
  readonly watch?: Watch;
}

/** Sees a request that a part gets, and its answer. */
export type Watch = (request: IncomingMessage, response: ServerResponse) => void;
