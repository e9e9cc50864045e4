import type { Interrupt, Snapshot } from '@strands-agents/sdk';
import { z } from 'zod';
import {
  contentBlock,
  json,
  toolResult,
  type ContentBlock,
  type Json,
  type StoredMessage,
  type ToolResult,
} from '../../sessions/index.js';

/** A call that the loop waits at. */
export interface WaitingCall {
  readonly toolCallId: string;
  /** Strands' id of the interrupt. */
  readonly loopId: string;
}

/** The answer whose calls a loop was cut off at, and the results that it has so far. */
export interface UnfinishedAnswer {
  readonly message: StoredMessage;
  readonly results: readonly ToolResult[];
}

const snapshot = z.object({
  scope: z.enum(['agent', 'multiAgent']),
  schemaVersion: z.string(),
  createdAt: z.string(),
  data: z.record(z.string(), json),
  appData: z.record(z.string(), json),
});
const data = z.object({
  interrupts: z
    .object({
      pendingToolExecution: z
        .object({
          assistantMessageData: z.object({
            role: z.enum(['user', 'assistant']),
            content: z.unknown().transform(keptBlocks),
          }),
          completedToolResults: z.record(z.string(), z.object({ toolResult })),
        })
        .optional(),
    })
    .optional(),
});
const cause = z.object({ toolCallId: z.string() });

/** The blocks of a message that a conversation keeps; Strands knows more kinds of them. */
export function keptBlocks(content: unknown): ContentBlock[] {
  const blocks: unknown = JSON.parse(JSON.stringify(content));
  return z
    .array(z.unknown())
    .parse(blocks)
    .flatMap((block) => contentBlock.safeParse(block).data ?? []);
}

export function storedSnapshot(taken: Snapshot): Json {
  return json.parse(JSON.parse(JSON.stringify(taken)));
}

export function snapshotOf(stored: Json): Snapshot {
  return snapshot.parse(stored);
}

/** Undefined where the loop was between two answers. */
export function unfinishedAnswer(stored: Json): UnfinishedAnswer | undefined {
  const execution = data.parse(snapshotOf(stored).data).interrupts?.pendingToolExecution;
  if (execution === undefined) return undefined;
  const results = Object.values(execution.completedToolResults).map((block) => block.toolResult);
  return { message: execution.assistantMessageData, results };
}

/**
 * The calls that wait, each once, in the order in which the model has made them. Interrupts that were answered before stay in
 * Strands' list.
 */
export function waitingCalls(interrupts: readonly Interrupt[], stored: Json): readonly WaitingCall[] {
  const byCall = new Map<string, WaitingCall>();
  for (const { id: loopId, reason, response } of interrupts) {
    const { toolCallId } = cause.parse(reason);
    if (response === undefined && !byCall.has(toolCallId)) byCall.set(toolCallId, { toolCallId, loopId });
  }
  const order =
    unfinishedAnswer(stored)?.message.content.flatMap((block) =>
      'toolUse' in block ? block.toolUse.toolUseId : [],
    ) ?? [];
  return [...byCall.values()].sort((a, b) => order.indexOf(a.toolCallId) - order.indexOf(b.toolCallId));
}
