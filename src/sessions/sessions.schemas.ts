import { z } from 'zod';

export const conversationSummary = z.object({
  sessionId: z.string(),
  title: z.string().describe('The beginning of the first message'),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export const conversationList = z.object({ sessions: z.array(conversationSummary) });

export const conversationDetail = conversationSummary.extend({
  busy: z.boolean().describe('A turn is in progress'),
  turns: z.array(
    z.object({
      seq: z.int().describe('The number of the turn, from 1'),
      runId: z.string(),
      outcome: z.enum(['success', 'interrupt', 'cancelled', 'error', 'abandoned']),
      startedAt: z.iso.datetime(),
      endedAt: z.iso.datetime(),
      messages: z.array(
        z.object({
          role: z.enum(['user', 'assistant', 'tool']),
          text: z.string().optional(),
          toolCalls: z.array(z.object({ id: z.string(), name: z.string(), input: z.unknown() })).optional(),
          toolCallId: z.string().optional().describe('On a tool message: the call that it answers'),
          result: z.unknown().optional().describe('On a tool message: what the tool answered'),
        }),
      ),
    }),
  ),
  nextBefore: z.int().optional().describe('Pass it as `before` to read earlier turns'),
  interrupts: z
    .array(
      z.object({
        id: z.string(),
        reason: z.string(),
        toolCallId: z.string(),
        metadata: z.record(z.string(), z.unknown()),
      }),
    )
    .describe('What the conversation waits for. Links are not kept: resume to get a new one'),
});
