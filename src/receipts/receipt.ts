import { z } from 'zod';

const common = {
  version: z.literal(1),
  /** Unix milliseconds. */
  at: z.number(),
  /** The provider's id. */
  provider: z.string(),
  /** The account's name at the provider, where it is known. */
  account: z.string().exactOptional(),
};
/** The conversation in which something was done. */
const place = { sessionId: z.string(), runId: z.string() };

/** What was done in a user's name. It holds no token, and no text of a conversation. */
export const receipt = z.discriminatedUnion('kind', [
  /** The user has authorized an account. */
  z.strictObject({ ...common, ...place, kind: z.literal('connected'), scopes: z.array(z.string()) }),
  /** A tool has changed something at the provider, or may have. */
  z.strictObject({
    ...common,
    ...place,
    kind: z.literal('wrote'),
    tool: z.string(),
    /** Names the very input, as in the audit trail. */
    digest: z.string(),
    outcome: z.enum(['done', 'unknown']),
    /** Whether a rule of the user allowed it, rather than an approval. */
    byRule: z.boolean(),
    /** Where the provider shows it. */
    url: z.url({ protocol: /^https?$/ }).exactOptional(),
  }),
  /** A tool may change something without a new approval, or may not any more. */
  z.strictObject({
    ...common,
    kind: z.literal('rule_added'),
    ...place,
    tool: z.string(),
    within: z.record(z.string(), z.string()),
  }),
  z.strictObject({ ...common, kind: z.literal('rule_withdrawn'), sessionId: z.string(), tool: z.string() }),
  /** The tools have stopped using the account. */
  z.strictObject({ ...common, kind: z.literal('disconnected') }),
  /** The provider was asked to end the authorization, and was asked again with the old token. */
  z.strictObject({
    ...common,
    kind: z.literal('revoked'),
    outcome: z.enum(['proven', 'not_proven', 'still_valid']),
  }),
]);

/** What was done in a user's name, discriminated by `kind`. */
export type Receipt = z.infer<typeof receipt>;

type Without<T> = T extends unknown ? Omit<T, 'version' | 'at'> : never;
/** A receipt before it is dated. */
export type NewReceipt = Without<Receipt>;
