import type { FaultSwitch } from './faults.ts';

/**
 * One part of the local stack. `url` is where it listens, `faults` makes it misbehave on purpose,
 * `reset` forgets everything it has learnt, `close` ends every connection and frees the port.
 */
export interface Part {
  readonly url: string;
  readonly faults: FaultSwitch;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Where a part listens. Port 0 takes a free one. */
export interface Listen {
  readonly port?: number;
  readonly host?: string;
}
