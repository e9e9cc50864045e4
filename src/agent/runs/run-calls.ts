import { ERRORS } from '../../common/errors/index.js';
import { json, type Turn } from '../../sessions/index.js';
import type { RunContext, ToolOutcome, ToolRegistry } from '../../tools/index.js';
import type { PausedCalls } from '../interrupts/index.js';
import type { LoopCall, LoopCallResult } from '../strands/index.js';

/** Information for the user: the provider has granted more scopes than any tool asks for. */
export interface WiderScopesNotice {
  readonly notice: 'wider_scopes';
  readonly provider: string;
  readonly scopes: readonly string[];
}

/** Makes the calls of one run, each with the user's answer to it. */
export class RunCalls {
  readonly #registry: ToolRegistry;
  readonly #context: RunContext;
  readonly #paused: PausedCalls;
  readonly #turn: Pick<Turn, 'claimed' | 'noteWrite'>;

  constructor(
    registry: ToolRegistry,
    context: RunContext,
    { paused, turn }: { readonly paused: PausedCalls; readonly turn: Pick<Turn, 'claimed' | 'noteWrite'> },
  ) {
    this.#registry = registry;
    this.#context = context;
    this.#paused = paused;
    this.#turn = turn;
  }

  /**
   * Makes a call once the conversation is claimed. A failure of it is an answer to the model.
   * @throws the failure of the claim, which ends the run
   */
  async make({ name, toolCallId, input, signal }: LoopCall): Promise<LoopCallResult> {
    await this.#turn.claimed;
    const entry = this.#paused.enter(toolCallId);
    const { declined, approved, reauthenticated, account } = entry;
    if (declined !== undefined) return failure(declined, ERRORS[declined].detail);
    const beforeWrite = (): Promise<void> => this.#turn.noteWrite(toolCallId);
    const call = { ...this.#context, signal, approved, reauthenticated, account, beforeWrite };
    const outcome = await this.#registry.call(name, input, call);
    if (outcome.kind === 'failure') return failure(outcome.code, outcome.message);
    const notice = noticeOf(outcome);
    const beside = notice === undefined ? {} : { notice };
    if (outcome.kind === 'result') return { ...answer(outcome), ...beside };
    const { pauses } = this.#paused.pause(toolCallId, entry, outcome);
    return { kind: 'paused', name: `${outcome.kind}-${String(pauses)}`, ...beside };
  }
}

type Result = Extract<ToolOutcome, { readonly kind: 'result' }>;

/** Marked as data from outside, as the system prompt tells the model. */
function answer({ provider, data }: Result): LoopCallResult {
  const marked = { source: provider, untrusted: true, data: json.parse(data ?? null) };
  return { kind: 'answered', status: 'success', json: marked };
}

function failure(code: string, message: string): LoopCallResult {
  return { kind: 'answered', status: 'error', json: { error: { code, message } } };
}

function noticeOf(outcome: Exclude<ToolOutcome, { kind: 'failure' }>): WiderScopesNotice | undefined {
  if (!('widerScopes' in outcome) || outcome.widerScopes.length === 0) return undefined;
  return { notice: 'wider_scopes', provider: outcome.provider, scopes: outcome.widerScopes };
}
