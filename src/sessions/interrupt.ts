import { z } from 'zod';
import { json, type Json } from './content.js';

const common = {
  /** Unique within the conversation. */
  id: z.string(),
  toolCallId: z.string(),
  tool: z.string(),
  /** The tool's title for people. */
  title: z.string(),
  /** How often this call has been paused, this time included. */
  pauses: z.int(),
  /** The user was sent to the provider anew for this call, because it had refused the stored token. */
  reauthenticated: z.boolean(),
  /** The interrupt's id in the agent loop. */
  loopId: z.string(),
};
/** The digest of a call that the user has approved, and that has not been made yet. */
const approved = z.string().exactOptional();
/** The input that the user has put in the place of the model's, and the account for which. */
const edited = z
  .strictObject({
    input: json,
    accountId: z.string().exactOptional(),
    /** It has not been sent yet. */
    approved: z.literal(true).exactOptional(),
  })
  .exactOptional();
/** The user has allowed further calls like this one. */
const allowsMore = z.literal(true).exactOptional();

/** An interrupt that waits for its answer. It holds neither a token nor an authorization URL. */
export const storedInterrupt = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('authorization_required'),
    provider: z.string(),
    scopes: z.array(z.string()),
    approved,
    edited,
    allowsMore,
  }),
  z.strictObject({
    ...common,
    kind: z.literal('approval_required'),
    input: json,
    /** Of tool, input and account. */
    digest: z.string(),
    inputBytes: z.int(),
    /** The name and the id of the account that acts, where the provider tells them. */
    account: z.string().exactOptional(),
    accountId: z.string().exactOptional(),
    /** The inputs for which the user may allow further calls. */
    within: z.record(z.string(), z.string()).exactOptional(),
    /** Why the user's own input was not taken. */
    fault: z.string().exactOptional(),
    edited,
  }),
  z.strictObject({
    ...common,
    kind: z.literal('account_changed'),
    provider: z.string(),
    before: z.string(),
    now: z.strictObject({ id: z.string(), login: z.string() }),
    approved,
    edited,
    allowsMore,
  }),
]);
/** An interrupt as a conversation keeps it, discriminated by `kind`. */
export type StoredInterrupt = z.infer<typeof storedInterrupt>;

/** An interrupt as clients see it, in AG-UI's names. */
export interface InterruptView {
  readonly id: string;
  readonly reason: StoredInterrupt['kind'];
  readonly toolCallId: string;
  readonly metadata: Readonly<Record<string, Json>>;
}

/** An interrupt as clients are shown it: nothing of it decides anything. */
export function interruptView(interrupt: StoredInterrupt): InterruptView {
  const { id, kind, toolCallId } = interrupt;
  return { id, reason: kind, toolCallId, metadata: metadataOf(interrupt) };
}

function metadataOf(interrupt: StoredInterrupt): InterruptView['metadata'] {
  const { tool, title } = interrupt;
  switch (interrupt.kind) {
    case 'authorization_required':
      return { provider: interrupt.provider, scopes: interrupt.scopes, tool, title };
    case 'approval_required': {
      const { input, account, within, fault } = interrupt;
      return {
        tool,
        title,
        input,
        ...(account !== undefined && { account }),
        ...(within !== undefined && { allowable: within }),
        ...(fault !== undefined && { fault }),
      };
    }
    case 'account_changed': {
      const { provider, before, now } = interrupt;
      return { provider, tool, title, before, now: now.login };
    }
  }
}
