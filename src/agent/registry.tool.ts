import { createHash } from 'node:crypto';
import {
  JsonBlock,
  Tool,
  ToolResultBlock,
  type JSONValue,
  type ToolContext,
  type ToolSpec,
  type ToolStreamGenerator,
} from '@strands-agents/sdk';
import { ERRORS } from '../common/errors/index.js';
import type { User } from '../identity/index.js';
import type { AuthorizationRequired, ToolOutcome, ToolRegistry, ToolSpecification } from '../tools/index.js';
import type { InterruptAnswer } from './invocation.request.js';

/** What is known of a tool call that was paused before: kept with the paused run, without token or URL. */
export interface PausedCall {
  /** How often it has been paused; numbers the interrupts, as Strands answers one of a known name at once. */
  readonly pauses: number;
  /** What the user has approved: a digest of the tool and its input. */
  readonly approved: string | null;
  readonly reauthenticated: boolean;
}

export type PauseReason = AuthorizationRequired | Extract<ToolOutcome, { kind: 'approval_required' }>;

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
    const digest = digestOf(this.name, input);
    const declined = declinedBy(answer);
    if (declined !== undefined) return failure(toolUseId, declined, ERRORS[declined].detail);
    const approved = before.approved === digest || isApproval(answer);
    const { user, sessionId, runId } = this.#calls;
    const { reauthenticated } = before;
    const call = { user, sessionId, runId, signal: context.cancelSignal, approved, reauthenticated };
    const outcome = await this.#registry.call(this.name, input, call);
    switch (outcome.kind) {
      case 'result':
        return success(toolUseId, outcome);
      case 'failure':
        return failure(toolUseId, outcome.code, outcome.message);
      case 'authorization_required':
      case 'approval_required': {
        const pauses = before.pauses + 1;
        this.#calls.paused.set(toolUseId, {
          pauses,
          approved: approved ? digest : null,
          reauthenticated:
            reauthenticated || (outcome.kind === 'authorization_required' && outcome.reauthenticated),
        });
        this.#calls.reasons.set(toolUseId, outcome);
        return context.interrupt<never>({
          name: `${outcome.kind}-${String(pauses)}`,
          reason: { toolCallId: toolUseId },
        });
      }
    }
  }
}

const NOT_PAUSED: PausedCall = { pauses: 0, approved: null, reauthenticated: false };

function digestOf(name: string, input: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([name, input]))
    .digest('base64url');
}

/** What the user said no to, when they did. */
export function declinedBy(
  answer: AnsweredInterrupt | undefined,
): 'consent_declined' | 'approval_declined' | undefined {
  if (answer === undefined) return undefined;
  if (answer.reason === 'approval_required') {
    const declined = answer.status === 'cancelled' || approvalIn(answer.payload) === false;
    return declined ? 'approval_declined' : undefined;
  }
  return answer.status === 'cancelled' ? 'consent_declined' : undefined;
}

/** Approval is said, never implied: `{"approved": true}`. */
export function isApproval(answer: AnsweredInterrupt | undefined): boolean {
  if (answer?.reason !== 'approval_required' || answer.status !== 'resolved') return false;
  return approvalIn(answer.payload) === true;
}

function approvalIn(payload: unknown): boolean | undefined {
  if (typeof payload !== 'object' || payload === null || !('approved' in payload)) return undefined;
  return payload.approved === true;
}

/** Marked as data from outside, as the system prompt tells the model. */
function success(
  toolUseId: string,
  { source, data }: Extract<ToolOutcome, { kind: 'result' }>,
): ToolResultBlock {
  const json = { source, untrusted: true, data: data as JSONValue };
  return new ToolResultBlock({ toolUseId, status: 'success', content: [new JsonBlock({ json })] });
}

function failure(toolUseId: string, code: string, message: string): ToolResultBlock {
  const json = { error: { code, message } };
  return new ToolResultBlock({ toolUseId, status: 'error', content: [new JsonBlock({ json })] });
}
