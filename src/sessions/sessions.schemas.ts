import { z } from 'zod';
import { conversationSummary, turnRecord } from './conversation.js';
import { sessionId } from './session-id.js';

const LARGEST_PAGE = 100;
const MAXIMUM_TITLE_LENGTH = 80;
const limit = z.coerce.number().int().min(1).max(LARGEST_PAGE).default(20).describe('The size of the page');

export const conversationId = sessionId.meta({ example: 'try-it-out' });
export const listQuery = z.strictObject({
  limit,
  after: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,80}$/)
    .optional()
    .describe('The `next` of the page before'),
});
export const readQuery = z.strictObject({
  limit,
  before: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe('The number of a turn; the page ends ahead of it'),
});

/** What a user can change of a conversation. */
export const conversationChange = z.strictObject({
  title: z.string().trim().min(1).max(MAXIMUM_TITLE_LENGTH).meta({ example: 'Trams in Bern' }),
});

export const conversationList = z.object({
  sessions: z.array(conversationSummary),
  next: z.string().optional().describe('Pass it as `after` for the next page; absent on the last one'),
});

const messageView = z.object({
  role: z.enum(['user', 'assistant', 'tool']),
  text: z.string().optional(),
  toolCalls: z.array(z.object({ id: z.string(), name: z.string(), input: z.unknown() })).optional(),
  toolCallId: z.string().optional().describe('On a tool message: the call that it answers'),
  result: z.unknown().optional().describe('On a tool message: the answer of the tool'),
});

const aboutTool = { tool: z.string(), title: z.string().describe("The tool's title for people") };
const interruptBase = { id: z.string(), toolCallId: z.string() };
const interruptView = z.discriminatedUnion('reason', [
  z.object({
    ...interruptBase,
    reason: z.literal('authorization_required'),
    metadata: z.object({ ...aboutTool, provider: z.string(), scopes: z.array(z.string()) }),
  }),
  z.object({
    ...interruptBase,
    reason: z.literal('approval_required'),
    metadata: z.object({ ...aboutTool, input: z.unknown(), account: z.string().optional() }),
  }),
  z.object({
    ...interruptBase,
    reason: z.literal('account_changed'),
    metadata: z.object({ ...aboutTool, provider: z.string(), before: z.string(), now: z.string() }),
  }),
]);

export const conversationDetail = conversationSummary.extend({
  busy: z.boolean().describe('A turn is in progress'),
  running: z
    .object({
      runId: z.string(),
      startedAt: z.iso.datetime(),
      message: z
        .string()
        .optional()
        .describe("The user's message; absent when the turn resumes a paused run"),
    })
    .optional()
    .describe('The turn that is in progress. Its messages come when it has ended'),
  turns: z.array(
    z.object({
      seq: z.int().describe('The number of the turn, from 1'),
      runId: z.string(),
      outcome: turnRecord.shape.outcome,
      startedAt: z.iso.datetime(),
      endedAt: z.iso.datetime(),
      messages: z.array(messageView),
    }),
  ),
  earlier: z
    .object({
      summary: z.string(),
      messages: z.int().describe('How many messages it covers, from the first one on'),
      since: z.int().describe('The number of the first turn whose model is told it'),
    })
    .optional()
    .describe(
      'What the model is told of the earliest messages, because it is not shown them any more. They can still be read here',
    ),
  nextBefore: z.int().optional().describe('Pass it as `before` to read earlier turns'),
  interrupts: z
    .array(interruptView)
    .describe('The conversation waits for these. Links are not kept: resume to get a new one'),
});
