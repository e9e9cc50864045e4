import { z } from 'zod';

const user = z.string().min(1).max(128).describe("The identity provider's subject");
const code = z.string().describe('A code of docs/errors.md');
const reason = z.string().describe('The exact reason, from a closed set');
const tool = z.string().max(64).describe("The tool's name; `unknown` for one that does not exist");
const provider = z.string().describe("The provider's id");
const awsRequestId = z
  .string()
  .optional()
  .describe("The request id of AWS's answer, as it appears in CloudTrail");
const sessionId = z.string().describe('The conversation');
const runId = z.string().describe('The run');
const interruptId = z.string().describe("The interrupt that waits for the user's answer");
const flow = z.string().describe('The flow: a digest of its session URI, the same on every line of it');
const flowState = z.string().optional().describe('The state in which the flow was found');
const owner = user
  .optional()
  .describe('The user who asked for the consent, when another user tried to use it');
const digest = z.string().describe('A digest of tool, input and account: the one call that is approved');
const inputBytes = z.int().min(0).describe("The size of the tool's input");
const accountId = z.string().describe("The account at the provider, by the provider's own id");

/** A consent that a run asks its user for. The browser carries it, so that every later decision names the run. */
export const consent = z.strictObject({
  sessionId,
  runId,
  interruptId,
  tool,
  provider,
  scopes: z.array(z.string()).describe('OAuth scopes'),
});
/** The run that waits for a consent, and the consent itself. */
export type Consent = z.infer<typeof consent>;

const call = { user, sessionId, runId, tool };
const asked = { user, flow, ...consent.shape };
const maybeAsked = { user, flow: flow.optional(), flowState, owner, ...consent.partial().shape };
const approval = { ...call, interruptId, digest, inputBytes };

/** Every decision that is recorded, and its fields beside the envelope. docs/audit.md explains each. */
export const AUDIT_EVENTS = {
  signed_in: z.strictObject({ user }),
  sign_in_refused: z.strictObject({ code, reason }),
  consent_asked: z.strictObject({ ...asked, awsRequestId }),
  consent_declined: z.strictObject({ ...call, interruptId }),
  consent_opened: z.strictObject(asked),
  consent_started: z.strictObject(asked),
  consent_refused: z.strictObject({ ...maybeAsked, code, reason }),
  consent_denied: z.strictObject(asked),
  bound: z.strictObject({ ...asked, awsRequestId }),
  binding_refused: z.strictObject({ ...maybeAsked, code, reason, awsRequestId }),
  binding_failed: z.strictObject({ ...maybeAsked, code, reason, awsRequestId }),
  token_fetched: z.strictObject({ ...call, provider, scopes: consent.shape.scopes, awsRequestId }),
  account_identified: z.strictObject({
    ...call,
    provider,
    accountId,
    scopes: consent.shape.scopes,
    widerScopes: z
      .array(z.string())
      .describe('Scopes that the provider granted although nobody asked for them'),
  }),
  account_changed: z.strictObject({ ...call, interruptId, provider, accountId }),
  account_answered: z.strictObject({ ...call, interruptId, provider, switched: z.boolean() }),
  approval_asked: z.strictObject(approval),
  approval_answered: z.strictObject({
    ...approval,
    approved: z.boolean(),
    edited: z
      .literal(true)
      .optional()
      .describe('The user has put another input in the place of this one; `write_begun` names it'),
  }),
  write_begun: z.strictObject({
    ...call,
    provider,
    digest,
    byRule: z.boolean().describe('A rule of the user allowed it, and no approval of its own'),
    edited: z.boolean().describe("The user's own input was sent"),
  }),
  rule_added: z.strictObject({
    ...call,
    provider,
    inputs: z.array(z.string()).describe('The names of the inputs for which the rule holds'),
  }),
  rule_withdrawn: z.strictObject({ user, sessionId, tool, provider }),
  conversations_listed: z.strictObject({ user }),
  conversation_read: z.strictObject({ user, sessionId }),
  conversation_renamed: z.strictObject({ user, sessionId }),
  conversation_deleted: z.strictObject({ user, sessionId }),
  connections_listed: z.strictObject({ user }),
  receipts_listed: z.strictObject({ user }),
  connection_closed: z.strictObject({
    user,
    provider,
    tokens: z.int().min(0).describe('How many tokens the vault still gives out'),
  }),
  grant_revoked: z.strictObject({
    user,
    provider,
    outcome: z
      .enum(['proven', 'not_proven', 'still_valid'])
      .describe('Whether the provider refuses the old tokens'),
  }),
  revocation_refused: z.strictObject({ user, owner, code, reason }),
  run_stopped: z.strictObject({ user, sessionId, runId }),
  tool_called: z.strictObject({
    ...call,
    outcome: z.enum(['result', 'failure']),
    code: code.optional(),
    durationMs: z.int().min(0),
  }),
} as const;

export type AuditEventName = keyof typeof AUDIT_EVENTS;
export type AuditFields<Name extends AuditEventName> = z.infer<(typeof AUDIT_EVENTS)[Name]>;

/** The fields of every line. */
export const AUDIT_ENVELOPE = z.object({
  time: z.iso.datetime().describe('The time, in UTC'),
  stream: z.literal('audit').describe('Distinguishes these lines from all other log lines'),
  role: z.enum(['agent', 'session-binding']).describe('The role that decided'),
  environment: z.string().describe('`ENVIRONMENT`'),
  event: z.enum(Object.keys(AUDIT_EVENTS) as [AuditEventName, ...AuditEventName[]]).describe('The decision'),
  chosenByClient: z
    .array(z.enum(['sessionId', 'runId']))
    .optional()
    .describe('The ids of this line that the client chose; other users may use the same ids'),
  requestId: z.string().describe('The HTTP request, as in `x-request-id` and in the other log lines'),
});
