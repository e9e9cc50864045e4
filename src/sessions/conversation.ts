import { z } from 'zod';
import { json, storedMessage } from './content.js';
import { storedInterrupt } from './interrupt.js';

/** The form in which objects are written. `stored-objects.ts` reads older ones. */
export const VERSION = 3;

/** A write at a provider that was begun. */
const begunWrite = z.strictObject({
  toolCallId: z.string(),
  /** Of tool, input and account. */
  digest: z.string(),
  /** When: Unix milliseconds. */
  at: z.number(),
});
export type BegunWrite = z.infer<typeof begunWrite>;

/** A run that is paused. */
export const pendingRun = z.strictObject({
  interrupts: z.array(storedInterrupt),
  /** The agent loop's own state; stored and not interpreted here. */
  snapshot: json,
  /** False after a resume was cut off half-way: an answer is good for one run, so it does not run again. */
  resumable: z.boolean(),
  /** The calls of writes that the resume had begun when it was cut off. Whether they were done is not known. */
  begun: z.array(z.string()).exactOptional(),
});
/** A paused run, as a conversation keeps it. */
export type PendingRun = z.infer<typeof pendingRun>;

/** The claim that a running turn has on its conversation. All times are Unix milliseconds. */
export const turnClaim = z.strictObject({
  /** The number of the turn, from 1. */
  seq: z.int(),
  runId: z.string(),
  /** The digest of what the run was given, to tell a repetition from another run of the same name. */
  digest: z.string().exactOptional(),
  /** The task that owns the claim. Its lease tells whether it is alive. */
  task: z.string(),
  startedAt: z.number(),
  /** The user's message; absent when the turn resumes a paused run. */
  userText: z.string().exactOptional(),
  /** The paused run that this turn resumes or closes. */
  pending: pendingRun.exactOptional(),
  /** The writes that the turn has begun; each is noted here before it is made. */
  begun: z.array(begunWrite).exactOptional(),
});
export type TurnClaim = z.infer<typeof turnClaim>;

const TURN_OUTCOMES = ['success', 'interrupt', 'cancelled', 'error', 'abandoned'] as const;
export type TurnOutcome = (typeof TURN_OUTCOMES)[number];

/** One turn. It never changes. */
export const turnRecord = z.strictObject({
  seq: z.int(),
  runId: z.string(),
  startedAt: z.number(),
  endedAt: z.number(),
  outcome: z.enum(TURN_OUTCOMES),
  /** The messages that this turn added to the conversation. */
  messages: z.array(storedMessage),
  /** The run that it left paused. */
  pending: pendingRun.exactOptional(),
});
export type TurnRecord = z.infer<typeof turnRecord>;

/** Turns that follow each other. Written once, under the number of the last one. */
export const segment = z.strictObject({ version: z.literal(VERSION), turns: z.array(turnRecord).min(1) });
export type Segment = z.infer<typeof segment>;

/** A run that has ended. */
export const finishedRun = z.strictObject({
  runId: z.string(),
  digest: z.string().exactOptional(),
  /** In the form of the agent; stored and not interpreted here. Absent where they were too large, or lost with a task. */
  events: z.array(json).exactOptional(),
});
export type FinishedRun = z.infer<typeof finishedRun>;

/** What the model is told of the messages that it is not shown any more. */
export const earlierMessages = z.strictObject({
  /** The summary of them. */
  text: z.string(),
  /** How many they are. */
  messages: z.int(),
  /** Those of them that are still in the working set. */
  ahead: z.int(),
  /** The number of the first turn whose model is told this summary. */
  since: z.int(),
});
export type EarlierMessages = z.infer<typeof earlierMessages>;

/** The part of a conversation that a turn needs. Its size is bounded however long the conversation grows. */
export const workingSet = z.strictObject({
  version: z.literal(VERSION),
  sessionId: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
  title: z.string(),
  /** The name of its line in the list of conversations. */
  line: z.string().exactOptional(),
  /** Turns that are finished. */
  turns: z.int(),
  /** Interrupts raised so far: the next one's number. */
  interrupts: z.int(),
  /** The latest writes of which it is not known whether they were done. */
  doubted: z.array(begunWrite).exactOptional(),
  earlier: earlierMessages.exactOptional(),
  /** The messages ahead of `recent` that the model is still shown. */
  messages: z.array(storedMessage),
  /** The last turns. Older ones are in segments. */
  recent: z.array(turnRecord),
  /** The ids of the latest runs. An id names one run of a conversation. */
  runIds: z.array(z.string()).exactOptional(),
  /** The run of the last turn, with its events, for a client that has lost them. */
  lastRun: finishedRun.exactOptional(),
  pending: pendingRun.exactOptional(),
  claim: turnClaim.exactOptional(),
  /** The conversation is being deleted: nothing begins on it, and the rest of it goes. */
  deletedAt: z.number().exactOptional(),
});
export type WorkingSet = z.infer<typeof workingSet>;

/** One line of the list of conversations. */
export const conversationSummary = z.object({
  sessionId: z.string(),
  title: z.string().describe('The beginning of the first message, or what the user has chosen'),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type ConversationSummary = Readonly<z.infer<typeof conversationSummary>>;

export function summaryOf({ sessionId, title, createdAt, updatedAt }: WorkingSet): ConversationSummary {
  return {
    sessionId,
    title,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  };
}
