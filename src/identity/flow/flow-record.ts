import { createHash } from 'node:crypto';
import { z } from 'zod';
import { consent } from '../../audit/index.js';

/** The states of a flow. The last four are final; a flow ends once. */
export const FLOW_STATES = [
  'asked',
  'opened',
  'started',
  'returned',
  'bound',
  'denied',
  'expired',
  'burnt',
] as const;
/** A state of a flow. */
export type FlowState = (typeof FLOW_STATES)[number];
/** A state that ends a flow. */
export type FlowEnd = Extract<FlowState, 'bound' | 'denied' | 'expired' | 'burnt'>;

/** The allowed changes of state. `started` follows itself when the same user presses the button again. */
const FOLLOWING: Readonly<Record<FlowState, readonly FlowState[]>> = {
  asked: ['opened', 'started', 'expired', 'burnt'],
  opened: ['started', 'expired', 'burnt'],
  started: ['started', 'returned', 'denied', 'expired', 'burnt'],
  // `returned` follows itself when a failed completion is tried again.
  returned: ['returned', 'bound', 'denied', 'expired', 'burnt'],
  bound: [],
  denied: [],
  expired: [],
  burnt: [],
};

export const flowRecord = z.strictObject({
  version: z.literal(1),
  state: z.enum(FLOW_STATES),
  /** The user who asked. */
  sub: z.string(),
  /** The provider's name for people. */
  provider: z.string(),
  /** The account at the provider that the user connected before. */
  account: z.string().optional(),
  consent,
  /** Digest of the `state` that the browser must bring back. */
  customState: z.string(),
  /** Digests of the nonces of the browsers in which the user has pressed the button. */
  browsers: z.array(z.string()),
  /** All times are Unix milliseconds. */
  updatedAt: z.number(),
  expiresAt: z.number(),
  /** In `returned`: the time until which a task may complete the authorization; absent after the completion has failed. */
  completingUntil: z.number().optional(),
});

/** The record of a flow in the ledger. It contains no token, no session URI and no address. */
export type FlowRecord = z.infer<typeof flowRecord>;

/**
 * The name of a flow in the ledger, in the audit trail and in cookies. It does not reveal the session URI, which is a secret.
 */
export function flowIdOf(sessionUri: string): string {
  return createHash('sha256').update(sessionUri).digest('hex').slice(0, 32);
}

/** The digest of a secret that the ledger only has to recognise. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

export function mayFollow(state: FlowState, next: FlowState): boolean {
  return FOLLOWING[state].includes(next);
}

/** Whether nothing can follow a state. */
export function hasEnded(state: FlowState): state is FlowEnd {
  return FOLLOWING[state].length === 0;
}
