import {
  JsonBlock,
  Tool,
  ToolResultBlock,
  ToolStreamEvent,
  type JSONValue,
  type ToolContext,
  type ToolSpec,
  type ToolStreamGenerator,
} from '@strands-agents/sdk';
import { ERRORS } from '../common/errors/index.js';
import type { User } from '../identity/sign-in/index.js';
import type {
  AccountChanged,
  ApprovalRequired,
  AuthorizationRequired,
  ToolCall,
  ToolOutcome,
  ToolRegistry,
  ToolSpecification,
} from '../tools/index.js';
import type { InterruptAnswer } from './invocation.request.js';

/** What is known of a tool call that was paused before: kept with the paused run, without token or URL. */
export interface PausedCall {
  /** How often it has been paused; numbers the interrupts, as Strands answers one of a known name at once. */
  readonly pauses: number;
  /** The digest of the call that the user is asked to approve, and its size; null while nothing is asked. */
  readonly asked: { readonly digest: string; readonly inputBytes: number } | null;
  /** The digest of the call that the user has approved: it may still wait for a consent. */
  readonly approved: string | null;
  /** The account to which the user is asked to switch. */
  readonly otherAccount: string | null;
  readonly reauthenticated: boolean;
}

export type PauseReason = AuthorizationRequired | ApprovalRequired | AccountChanged;

/** The user's answer, and what it answers. */
export interface AnsweredInterrupt extends InterruptAnswer {
  readonly reason: string;
}

/** The calls of one run that were paused, or are resumed now. */
export interface RunCalls {
  readonly user: User;
  readonly sessionId: string;
  readonly runId: string;
  readonly paused: Map<string, PausedCall>;
  /** The user's answers, by tool call; each is used once. */
  readonly answers: Map<string, AnsweredInterrupt>;
  /** Why each call is paused now. Stays in memory: it holds the authorization URL. */
  readonly reasons: Map<string, PauseReason>;
}

/**
 * A registered tool as Strands runs it. It never throws: an outcome becomes a result, or an interrupt that Strands
 * pauses the run at. A resumed run starts the call over from its top.
 */
export class RegistryTool extends Tool {
  readonly name: string;
  readonly description: string;
  readonly toolSpec: ToolSpec;
  readonly #registry: ToolRegistry;
  readonly #calls: RunCalls;

  constructor(specification: ToolSpecification, registry: ToolRegistry, calls: RunCalls) {
    super();
    this.name = specification.name;
    this.description = specification.description;
    this.toolSpec = {
      name: this.name,
      description: this.description,
      inputSchema: specification.inputSchema,
    };
    this.#registry = registry;
    this.#calls = calls;
  }

  async *stream(context: ToolContext): ToolStreamGenerator {
    const { toolUseId, input } = context.toolUse;
    const before = this.#calls.paused.get(toolUseId) ?? NOT_PAUSED;
    const answer = this.#calls.answers.get(toolUseId);
    // A model could use an id again: what was said of one call is not said of the next.
    this.#calls.paused.delete(toolUseId);
    this.#calls.answers.delete(toolUseId);
    const declined = declinedBy(answer);
    if (declined !== undefined) return failure(toolUseId, declined, ERRORS[declined].detail);
    const { user, sessionId, runId } = this.#calls;
    const { reauthenticated } = before;
    const approved = (isApproval(answer) ? before.asked?.digest : before.approved) ?? undefined;
    const account = accountAnswer(answer, before.otherAccount);
    const call = { user, sessionId, runId, signal: context.cancelSignal, approved, reauthenticated, account };
    const outcome = await this.#registry.call(this.name, input, call);
    if (outcome.kind === 'failure') return failure(toolUseId, outcome.code, outcome.message);
    if ('widerScopes' in outcome && outcome.widerScopes.length > 0) {
      const { provider, widerScopes: scopes } = outcome;
      yield new ToolStreamEvent({ data: { notice: 'wider_scopes', provider, scopes } satisfies Notice });
    }
    if (outcome.kind === 'result') return success(toolUseId, outcome);
    const pauses = before.pauses + 1;
    this.#calls.paused.set(toolUseId, pausedBy(outcome, pauses, { approved, reauthenticated }));
    this.#calls.reasons.set(toolUseId, outcome);
    return context.interrupt<never>({
      name: `${outcome.kind}-${String(pauses)}`,
      reason: { toolCallId: toolUseId },
    });
  }
}

/** What a run tells beside its answer: a CUSTOM event of AG-UI. */
export interface Notice {
  /** The provider has granted more than anybody asked for. */
  readonly notice: 'wider_scopes';
  readonly provider: string;
  readonly scopes: readonly string[];
}

const NOT_PAUSED: PausedCall = {
  pauses: 0,
  asked: null,
  approved: null,
  otherAccount: null,
  reauthenticated: false,
};

function pausedBy(
  outcome: PauseReason,
  pauses: number,
  { approved = null, reauthenticated }: { approved: string | null | undefined; reauthenticated: boolean },
): PausedCall {
  const kept = { pauses, asked: null, approved, otherAccount: null, reauthenticated };
  switch (outcome.kind) {
    case 'approval_required': {
      const { digest, inputBytes } = outcome;
      // What was approved was another call; it counts no more.
      return { ...kept, asked: { digest, inputBytes }, approved: null };
    }
    case 'account_changed':
      return { ...kept, otherAccount: outcome.now.id };
    case 'authorization_required':
      return {
        ...kept,
        approved: outcome.called ? null : approved,
        reauthenticated: reauthenticated || outcome.reauthenticated,
      };
  }
}

/** What the user said no to, when they did. */
export function declinedBy(
  answer: AnsweredInterrupt | undefined,
): 'consent_declined' | 'approval_declined' | 'account_declined' | undefined {
  if (answer === undefined) return undefined;
  if (answer.reason === 'approval_required') {
    const declined = answer.status === 'cancelled' || memberOf(answer.payload, 'approved') === false;
    return declined ? 'approval_declined' : undefined;
  }
  if (answer.status !== 'cancelled') return undefined;
  return answer.reason === 'account_changed' ? 'account_declined' : 'consent_declined';
}

/** To switch is said, never implied: `{"switch": true}`. Everything else keeps the account, by another consent. */
export function isSwitch(answer: AnsweredInterrupt | undefined): boolean {
  if (answer?.reason !== 'account_changed' || answer.status !== 'resolved') return false;
  return memberOf(answer.payload, 'switch') === true;
}

function accountAnswer(
  answer: AnsweredInterrupt | undefined,
  otherAccount: string | null,
): ToolCall['account'] {
  if (answer?.reason !== 'account_changed' || otherAccount === null) return undefined;
  return isSwitch(answer) ? { switchTo: otherAccount } : 'consent_again';
}

/** Approval is said, never implied: `{"approved": true}`. */
export function isApproval(answer: AnsweredInterrupt | undefined): boolean {
  if (answer?.reason !== 'approval_required' || answer.status !== 'resolved') return false;
  return memberOf(answer.payload, 'approved') === true;
}

/** Whether a member of an answer is true; undefined where there is no such member. */
function memberOf(payload: unknown, name: string): boolean | undefined {
  if (typeof payload !== 'object' || payload === null || !(name in payload)) return undefined;
  return (payload as Readonly<Record<string, unknown>>)[name] === true;
}

/** Marked as data from outside, as the system prompt tells the model. */
function success(
  toolUseId: string,
  { provider, data }: Extract<ToolOutcome, { readonly kind: 'result' }>,
): ToolResultBlock {
  const json = { source: provider, untrusted: true, data: data as JSONValue };
  return new ToolResultBlock({ toolUseId, status: 'success', content: [new JsonBlock({ json })] });
}

function failure(toolUseId: string, code: string, message: string): ToolResultBlock {
  const json = { error: { code, message } };
  return new ToolResultBlock({ toolUseId, status: 'error', content: [new JsonBlock({ json })] });
}
