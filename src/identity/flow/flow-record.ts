import { createHash } from 'node:crypto';
import { z } from 'zod';
import { consent } from '../../audit/index.js';

/** Where a flow is. The last four end it; a flow ends once. */
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

/** Which state may follow which. `started` follows itself when the same user presses the button again. */
const FOLLOWING: Readonly<Record<FlowState, readonly FlowState[]>> = {
  asked: ['opened', 'started', 'expired', 'burnt'],
  opened: ['started', 'expired', 'burnt'],
  started: ['started', 'returned', 'denied', 'expired', 'burnt'],
  // `returned` follows itself when a completion that failed is tried again.
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
  /** The account at the provider that the user has connected before. */
  account: z.string().optional(),
  consent,
  /** Digest of what `state` must be when the browser comes back. */
  customState: z.string(),
  /** Digests of the nonces of the browsers in which the user has pressed the button. */
  browsers: z.array(z.string()),
  /** Unix milliseconds, all of them. */
  updatedAt: z.number(),
  expiresAt: z.number(),
  /** In `returned`: a task is completing the authorization until then; absent once it has failed. */
  completingUntil: z.number().optional(),
});

/** What the ledger keeps of a flow: neither a token, nor a session URI, nor an address. */
export type FlowRecord = z.infer<typeof flowRecord>;

/** Names a flow in the ledger, in the audit trail and in cookies; tells nothing of the session URI, which is a secret. */
export function flowIdOf(sessionUri: string): string {
  return createHash('sha256').update(sessionUri).digest('hex').slice(0, 32);
}

/** How the ledger keeps a secret that it only has to recognise. */
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
