import { ERRORS } from '../../common/errors/index.js';
import { json, type Turn } from '../../sessions/index.js';
import type { RunContext, ToolOutcome, ToolRegistry, WriteNotes } from '../../tools/index.js';
import type { PausedCalls } from '../interrupts/index.js';
import type { LoopCall, LoopCallResult } from '../strands/index.js';
import { tracedTool } from './traced-tool.js';

const WAS_DONE = 'This had been done by an earlier call whose outcome was not known. It was not done again.';

const CHANGED = 'The user changed the arguments before approving. This was sent in their place.';

/** A call that is aborted with its run fails in the same way as a call of a service that is down. */
const ENDED = 'The run ended before this was done.';

/** Information for the user: the provider has granted more scopes than any tool asks for. */
export interface WiderScopesNotice {
  readonly notice: 'wider_scopes';
  readonly provider: string;
  readonly scopes: readonly string[];
}

/** What calls need of the turn that they belong to. */
export type NotedTurn = Pick<
  Turn,
  'claimed' | 'since' | 'noteWrite' | 'doubt' | 'doubtedSince' | 'settleDoubt'
>;

/** Makes the calls of one run, each with the user's answer to it. */
export class RunCalls {
  readonly #registry: ToolRegistry;
  readonly #context: RunContext;
  readonly #paused: PausedCalls;
  readonly #turn: NotedTurn;

  constructor(
    registry: ToolRegistry,
    context: RunContext,
    { paused, turn }: { readonly paused: PausedCalls; readonly turn: NotedTurn },
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
    const { declined, approved, edited, allowsMore, reauthenticated, account } = entry;
    if (declined !== undefined) return failure(declined, ERRORS[declined].detail);
    const call = {
      ...this.#context,
      signal,
      approved,
      edited,
      allowsMore,
      since: this.#turn.since,
      reauthenticated,
      account,
      writes: this.#writes(toolCallId),
    };
    const outcome = await tracedTool(name, () => this.#registry.call(name, input, call));
    if (outcome.kind === 'failure') {
      if (outcome.code === 'tool_outcome_unknown') this.#turn.doubt(toolCallId);
      else if (signal.aborted) return failure('tool_failed', ENDED);
      return failure(outcome.code, outcome.message);
    }
    const notice = noticeOf(outcome);
    const beside = notice === undefined ? {} : { notice };
    if (outcome.kind === 'result') return { ...answer(outcome), ...beside };
    const { pauses } = this.#paused.pause(toolCallId, entry, outcome);
    return { kind: 'paused', name: `${outcome.kind}-${String(pauses)}`, ...beside };
  }

  #writes(toolCallId: string): WriteNotes {
    return {
      begin: (digest) => this.#turn.noteWrite(toolCallId, digest),
      doubtedSince: (digest) => this.#turn.doubtedSince(digest),
      settle: (digest) => {
        this.#turn.settleDoubt(digest);
      },
    };
  }
}

type Result = Extract<ToolOutcome, { readonly kind: 'result' }>;

/** Marked as data from outside, as the system prompt tells the model. */
function answer({ provider, data, wasDone, edited }: Result): LoopCallResult {
  const marked = {
    source: provider,
    untrusted: true,
    data: json.parse(data ?? null),
    ...(wasDone === true && { note: WAS_DONE }),
    ...(edited !== undefined && { changedByUser: CHANGED, sent: json.parse(edited) }),
  };
  return { kind: 'answered', status: 'success', json: marked };
}

function failure(code: string, message: string): LoopCallResult {
  return { kind: 'answered', status: 'error', json: { error: { code, message } } };
}

function noticeOf(outcome: Exclude<ToolOutcome, { kind: 'failure' }>): WiderScopesNotice | undefined {
  if (!('widerScopes' in outcome) || outcome.widerScopes.length === 0) return undefined;
  return { notice: 'wider_scopes', provider: outcome.provider, scopes: outcome.widerScopes };
}
