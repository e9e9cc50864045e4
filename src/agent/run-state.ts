import { randomBytes } from 'node:crypto';
import type { Interrupt as AgUiInterrupt } from '@ag-ui/core';
import type { Agent, Interrupt } from '@strands-agents/sdk';
import { AppError } from '../common/errors/index.js';
import type { Audit } from '../audit/index.js';
import type { FlowTickets } from '../identity/index.js';
import type { Json, PendingRun, StoredInterrupt, StoredMessage } from '../sessions/index.js';
import type { ToolRegistry } from '../tools/index.js';
import { resultsFor } from './history.js';
import { recordAsked } from './interrupt-audit.js';
import type { InterruptAnswer } from './invocation.request.js';
import type { AnsweredInterrupt, PausedCall, PauseReason, RunCalls } from './registry.tool.js';

/** What a paused run keeps in its conversation; neither a token nor a URL is in it. */
export interface RunState {
  readonly snapshot: ReturnType<Agent['takeSnapshot']>;
  /** Strands' own interrupt ids, by ours. */
  readonly strandsIds: Readonly<Record<string, string>>;
  readonly calls: Readonly<Record<string, PausedCall>>;
}

/** How a run is resumed: what Strands is told, and what the tools are. */
export interface Resumption {
  readonly snapshot: RunState['snapshot'];
  readonly responses: readonly { readonly interruptId: string; readonly status: string }[];
  readonly paused: ReadonlyMap<string, PausedCall>;
  readonly answers: Map<string, AnsweredInterrupt>;
}

export function resumption(pending: PendingRun, answers: readonly InterruptAnswer[]): Resumption {
  const state = stateOf(pending);
  const byCall = new Map<string, AnsweredInterrupt>();
  const responses = answers.map((answer) => {
    const interrupt = pending.interrupts.find(({ id }) => id === answer.interruptId);
    const interruptId = state.strandsIds[answer.interruptId];
    if (interrupt === undefined || interruptId === undefined) throw new AppError('interrupt_not_pending');
    byCall.set(interrupt.toolCallId, { ...answer, reason: interrupt.reason });
    return { interruptId, status: answer.status };
  });
  return {
    snapshot: state.snapshot,
    responses,
    paused: new Map(Object.entries(state.calls)),
    answers: byCall,
  };
}

/**
 * A paused run that the user has left by writing something else: the assistant's pending message, and the results that
 * must follow it, with an error for every call that was still waiting.
 */
export function closing(
  pending: PendingRun,
): readonly [StoredMessage, readonly StoredMessage['content'][number][]] | undefined {
  const interrupts = stateOf(pending).snapshot.data.interrupts as unknown as {
    readonly pendingToolExecution?: {
      readonly assistantMessageData: StoredMessage;
      readonly completedToolResults: Readonly<Record<string, StoredMessage['content'][number]>>;
    };
  };
  const execution = interrupts.pendingToolExecution;
  if (execution === undefined) return undefined;
  const { role, content } = execution.assistantMessageData;
  const known = new Map(Object.entries(execution.completedToolResults));
  return [{ role, content }, resultsFor({ role, content }, known, 'The user went on without allowing this.')];
}

/** The paused run as it is stored, and as the client is told of it. */
export async function pause(
  agent: Agent,
  interrupts: readonly Interrupt[],
  context: { readonly calls: RunCalls; readonly firstNumber: number },
  services: { readonly tickets: FlowTickets; readonly registry: ToolRegistry; readonly audit: Audit },
): Promise<{ readonly pending: PendingRun; readonly told: readonly AgUiInterrupt[] }> {
  const stored: StoredInterrupt[] = [];
  const told: AgUiInterrupt[] = [];
  const strandsIds: Record<string, string> = {};
  const toolCallIds = new Set<string>();
  for (const interrupt of interrupts) {
    const { toolCallId } = interrupt.reason as { readonly toolCallId: string };
    const reason = context.calls.reasons.get(toolCallId);
    // Interrupts that were answered before stay in Strands' list.
    if (reason === undefined || interrupt.response !== undefined || toolCallIds.has(toolCallId)) continue;
    toolCallIds.add(toolCallId);
    const id = interruptId(context.firstNumber + stored.length, reason);
    strandsIds[id] = interrupt.id;
    const entry: StoredInterrupt = {
      id,
      reason: reason.kind,
      toolCallId,
      metadata: metadataOf(reason, services.registry),
    };
    stored.push(entry);
    told.push(await tell(entry, reason, context.calls, services));
    recordAsked(services.audit, context.calls, id, reason);
  }
  const state: RunState = {
    snapshot: agent.takeSnapshot({ include: ['interrupts'] }),
    strandsIds,
    calls: Object.fromEntries(
      [...context.calls.paused].filter(([toolCallId]) => toolCallIds.has(toolCallId)),
    ),
  };
  return {
    pending: { interrupts: stored, state: JSON.parse(JSON.stringify(state)) as Json, resumable: true },
    told,
  };
}

/**
 * Numbered, so that the examples of the specification run as they stand. An approval is also unguessable: it must be the
 * answer to what this very user was shown, also when the conversation's id was used before.
 */
function interruptId(number: number, reason: PauseReason): string {
  const suffix = reason.kind === 'approval_required' ? `-${randomBytes(6).toString('hex')}` : '';
  return `interrupt-${String(number)}${suffix}`;
}

function stateOf({ state }: PendingRun): RunState {
  return state as unknown as RunState;
}

function metadataOf(reason: PauseReason, registry: ToolRegistry): Readonly<Record<string, Json>> {
  const { tool } = reason;
  const title = registry.title(tool);
  if (reason.kind === 'approval_required') return { tool, title, input: reason.input as Json };
  return { provider: reason.provider.id, scopes: reason.scopes, tool, title };
}

async function tell(
  entry: StoredInterrupt,
  reason: PauseReason,
  { user, sessionId, runId }: RunCalls,
  { tickets, registry }: { readonly tickets: FlowTickets; readonly registry: ToolRegistry },
): Promise<AgUiInterrupt> {
  const common = { id: entry.id, reason: entry.reason, toolCallId: entry.toolCallId };
  const title = registry.title(reason.tool);
  if (reason.kind === 'approval_required') {
    const responseSchema = {
      type: 'object',
      properties: { approved: { type: 'boolean' } },
      required: ['approved'],
    };
    return {
      ...common,
      message: `Your approval is needed: ${title}.`,
      responseSchema,
      metadata: entry.metadata,
    };
  }
  const { authorization, provider, scopes } = reason;
  const connectUrl = await tickets.connectUrl({
    sub: user.sub,
    words: {
      provider: provider.label,
      scopes: scopes.map((scope) => provider.scopes[scope] ?? scope),
      tool: title,
    },
    authorizationUrl: authorization.authorizationUrl,
    sessionUri: authorization.sessionUri,
    customState: authorization.customState,
    consent: {
      sessionId,
      runId,
      interruptId: entry.id,
      tool: reason.tool,
      provider: provider.id,
      scopes: [...scopes],
    },
    expiresAt: authorization.expiresAt,
  });
  return {
    ...common,
    message: `${provider.label} needs your authorization: ${title}. Open connectUrl in this browser, then resume.`,
    expiresAt: new Date(authorization.expiresAt).toISOString(),
    metadata: { ...entry.metadata, connectUrl },
  };
}
