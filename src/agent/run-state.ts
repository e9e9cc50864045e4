import { randomBytes } from 'node:crypto';
import type { Interrupt as AgUiInterrupt } from '@ag-ui/core';
import type { Agent, Interrupt } from '@strands-agents/sdk';
import { AppError } from '../common/errors/index.js';
import type { Audit } from '../audit/index.js';
import type { FlowLedger, FlowTicket, FlowTickets } from '../identity/flow/index.js';
import type { Json, PendingRun, StoredInterrupt, StoredMessage } from '../sessions/index.js';
import type { ScopeWords, ToolRegistry } from '../tools/index.js';
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
  return cutOff(stateOf(pending).snapshot, 'The user went on without allowing this.');
}

/** The assistant's message whose calls a snapshot holds, with their results, and an error for each that has none. */
function cutOff(
  snapshot: RunState['snapshot'],
  why: string,
): readonly [StoredMessage, readonly StoredMessage['content'][number][]] | undefined {
  const interrupts = snapshot.data.interrupts as unknown as {
    readonly pendingToolExecution?: {
      readonly assistantMessageData: StoredMessage;
      readonly completedToolResults: Readonly<Record<string, StoredMessage['content'][number]>>;
    };
  };
  const execution = interrupts.pendingToolExecution;
  if (execution === undefined) return undefined;
  const { role, content } = execution.assistantMessageData;
  const known = new Map(Object.entries(execution.completedToolResults));
  return [{ role, content }, resultsFor({ role, content }, known, why)];
}

/** What a run has done that could not be paused, as messages: its answer, and the results that it has. */
export function unpaused(agent: Agent): readonly StoredMessage[] {
  const snapshot = agent.takeSnapshot({ include: ['interrupts'] });
  const [answer, results] = cutOff(snapshot, 'The user could not be asked, so this was not done.') ?? [];
  return answer === undefined || results === undefined
    ? []
    : [answer, { role: 'user', content: [...results] }];
}

export interface PauseServices {
  readonly tickets: FlowTickets;
  readonly ledger: FlowLedger;
  readonly registry: ToolRegistry;
  readonly audit: Audit;
}

/** The paused run as it is stored, and as the client is told of it. */
export async function pause(
  agent: Agent,
  interrupts: readonly Interrupt[],
  context: { readonly calls: RunCalls; readonly firstNumber: number },
  services: PauseServices,
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
 * Numbered, so that the examples of the specification run as they stand. An approval, and a switch of accounts, is also
 * unguessable: it must be the answer to what this very user was shown, also when the conversation's id was used before.
 */
function interruptId(number: number, reason: PauseReason): string {
  const suffix = reason.kind === 'authorization_required' ? '' : `-${randomBytes(6).toString('hex')}`;
  return `interrupt-${String(number)}${suffix}`;
}

function stateOf({ state }: PendingRun): RunState {
  return state as unknown as RunState;
}

function metadataOf(reason: PauseReason, registry: ToolRegistry): Readonly<Record<string, Json>> {
  const { tool } = reason;
  const title = registry.title(tool);
  switch (reason.kind) {
    case 'approval_required': {
      const account = reason.account === undefined ? {} : { account: reason.account.login };
      return { tool, title, input: reason.input as Json, ...account };
    }
    case 'account_changed':
      return {
        provider: reason.provider.id,
        tool,
        title,
        before: reason.before.login,
        now: reason.now.login,
      };
    case 'authorization_required':
      return { provider: reason.provider.id, scopes: reason.scopes, tool, title };
  }
}

async function tell(
  entry: StoredInterrupt,
  reason: PauseReason,
  calls: RunCalls,
  services: PauseServices,
): Promise<AgUiInterrupt> {
  const { id, toolCallId, metadata } = entry;
  const common = { id, reason: entry.reason, toolCallId };
  const title = services.registry.title(reason.tool);
  switch (reason.kind) {
    case 'approval_required': {
      const message = `Your approval is needed: ${title}.`;
      return { ...common, message, responseSchema: answerSchema('approved'), metadata };
    }
    case 'account_changed': {
      const { provider, before, now } = reason;
      const message = `${provider.label} knows you as ${now.login} now, and it was ${before.login} before. Go on as ${now.login}? If not, you are asked to authorize as ${before.login} again.`;
      return { ...common, message, responseSchema: answerSchema('switch'), metadata };
    }
    case 'authorization_required': {
      const { provider, authorization } = reason;
      const ticket = ticketFor(entry, reason, calls, title);
      await services.ledger.ask(ticket);
      const connectUrl = await services.tickets.connectUrl(ticket);
      return {
        ...common,
        message: `${provider.label} needs your authorization: ${title}. Open connectUrl in this browser, then resume.`,
        expiresAt: new Date(authorization.expiresAt).toISOString(),
        metadata: { ...metadata, connectUrl },
      };
    }
  }
}

function answerSchema(member: 'approved' | 'switch'): Readonly<Record<string, unknown>> {
  return { type: 'object', properties: { [member]: { type: 'boolean' } }, required: [member] };
}

function ticketFor(
  { id: interruptId }: StoredInterrupt,
  {
    provider,
    scopes,
    tool,
    account,
    authorization,
  }: Extract<PauseReason, { kind: 'authorization_required' }>,
  { user, sessionId, runId }: RunCalls,
  title: string,
): FlowTicket {
  const { authorizationUrl, sessionUri, customState, expiresAt } = authorization;
  return {
    sub: user.sub,
    words: {
      provider: provider.label,
      ...(account !== undefined && { account: account.login }),
      scopes: scopes.map((scope) => scopeInWords(provider.scopes[scope] ?? scope)),
      tool: title,
    },
    authorizationUrl,
    sessionUri,
    customState,
    consent: { sessionId, runId, interruptId, tool, provider: provider.id, scopes: [...scopes] },
    expiresAt,
  };
}

function scopeInWords(words: ScopeWords): FlowTicket['words']['scopes'][number] {
  return typeof words === 'string' ? { allows: words } : { ...words };
}
