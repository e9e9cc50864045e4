import { z } from 'zod';
import type { Receipt } from '../receipts/index.js';

const PAGE = 50;
const MOST = 100;

export const receiptsQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(MOST))
    .default(PAGE)
    .describe('How many, 1 to 100'),
  after: z
    .string()
    .regex(/^\d{13}-[0-9a-f]{12}$/)
    .optional()
    .describe('`next` of the page before'),
});

/** What was done in a user's name, as clients see it. */
export const receiptView = z.object({
  at: z.iso.datetime(),
  kind: z
    .enum(['connected', 'wrote', 'rule_added', 'rule_withdrawn', 'disconnected', 'revoked'])
    .describe(
      '`connected`: you authorized an account. `wrote`: a tool changed something. `rule_added`, `rule_withdrawn`: what needs no new approval. `disconnected`: the tools use the account no more. `revoked`: the provider was asked to end the authorization',
    ),
  provider: z.string().describe('The id of the provider'),
  account: z.string().optional().describe('The name of the account there, where it is known'),
  sessionId: z.string().optional().describe('The conversation'),
  runId: z.string().optional(),
  scopes: z.array(z.string()).optional().describe('What was authorized'),
  tool: z.string().optional(),
  digest: z.string().optional().describe('Names the very input that was sent'),
  outcome: z
    .enum(['done', 'unknown', 'proven', 'not_proven', 'still_valid'])
    .optional()
    .describe(
      'Of `wrote`: `done`, or `unknown` where it may have been done. Of `revoked`: `proven` where the provider refuses the old token, `still_valid` where it takes it, `not_proven` where it could not be asked',
    ),
  byRule: z.boolean().optional().describe('It needed no approval, because you had allowed it before'),
  within: z.record(z.string(), z.string()).optional().describe('The inputs for which a rule holds'),
  url: z.url().optional().describe('Where the provider shows it'),
});
export const receiptList = z.object({
  receipts: z.array(receiptView),
  next: z.string().optional().describe('Where there may be more: `after` of the next page'),
});

/** What was done in a user's name, as clients see it. */
export type ReceiptView = z.infer<typeof receiptView>;

export function viewOf({ version: _, at, ...rest }: Receipt): ReceiptView {
  return { at: new Date(at).toISOString(), ...rest };
}
