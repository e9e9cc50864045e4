import type { StoredInterrupt } from '../../sessions/index.js';
import type { ToolCall } from '../../tools/index.js';
import {
  decisionOf,
  type AnsweredInterrupt,
  type Decision,
  type RaisedInterrupt,
  type WaitingOutcome,
} from './interrupt.js';

/** How a call is entered: as one that is new, or with the user's answer to its last interrupt. */
export interface CallEntry
  extends
    Pick<ToolCall, 'approved' | 'reauthenticated' | 'account'>,
    Required<Pick<ToolCall, 'edited' | 'allowsMore'>> {
  /** How often the call has been paused before. */
  readonly pauses: number;
  /** The user said no: the call is not made. */
  readonly declined?: Extract<Decision, { kind: 'declined' }>['code'];
}

const NEW_CALL: CallEntry = {
  pauses: 0,
  approved: undefined,
  edited: undefined,
  allowsMore: false,
  reauthenticated: false,
  account: undefined,
};

/** The calls of one run that were paused before it, and those that it pauses itself. */
export class PausedCalls {
  readonly #answered: Map<string, AnsweredInterrupt>;
  readonly #raised = new Map<string, RaisedInterrupt>();

  /** @param answered the interrupts that the run resumes; none for a new message */
  constructor(answered: readonly AnsweredInterrupt[] = []) {
    this.#answered = new Map(answered.map((each) => [each.stored.toolCallId, each]));
  }

  /** An answer is good for one entry: a model could use an id again, and nobody has said anything of that call. */
  enter(toolCallId: string): CallEntry {
    const answered = this.#answered.get(toolCallId);
    this.#answered.delete(toolCallId);
    return answered === undefined ? NEW_CALL : entryOf(answered);
  }

  /** The call has to wait. An approval counts no more once the tool was entered, or once another call is to be approved. */
  pause(toolCallId: string, entry: CallEntry, outcome: WaitingOutcome): RaisedInterrupt {
    const isUsedUp =
      outcome.kind === 'approval_required' || (outcome.kind === 'authorization_required' && outcome.called);
    const anew = outcome.kind === 'authorization_required' && outcome.reauthenticated;
    const raised: RaisedInterrupt = {
      toolCallId,
      outcome,
      pauses: entry.pauses + 1,
      approved: isUsedUp ? undefined : entry.approved,
      edited: keptInput(entry, outcome, isUsedUp),
      allowsMore: !isUsedUp && entry.allowsMore,
      reauthenticated: entry.reauthenticated || anew,
    };
    this.#raised.set(toolCallId, raised);
    return raised;
  }

  /** The interrupt by which this run has paused a call; undefined for every other call. */
  raised(toolCallId: string): RaisedInterrupt | undefined {
    return this.#raised.get(toolCallId);
  }
}

function entryOf(answered: AnsweredInterrupt): CallEntry {
  const { stored } = answered;
  const { pauses, reauthenticated } = stored;
  const decision = decisionOf(answered);
  const entry: CallEntry = {
    pauses,
    reauthenticated,
    approved: stored.kind === 'approval_required' ? undefined : stored.approved,
    edited: stored.edited && {
      tool: stored.tool,
      input: stored.edited.input,
      accountId: stored.edited.accountId,
      isApproved: stored.kind !== 'approval_required' && stored.edited.approved === true,
    },
    allowsMore: stored.kind !== 'approval_required' && stored.allowsMore === true,
    account: undefined,
  };
  switch (decision.kind) {
    case 'declined':
      return { ...entry, declined: decision.code };
    case 'approved':
      return stored.kind === 'approval_required' ? approvedEntry(entry, stored, decision) : entry;
    case 'switched':
      return stored.kind === 'account_changed' ? { ...entry, account: { switchTo: stored.now.id } } : entry;
    case 'consent_again':
      return { ...entry, account: 'consent_again' };
    case 'undecided':
      return entry;
  }
}

/** An approval is for what was shown, or for what the user has put in its place. */
function approvedEntry(
  entry: CallEntry,
  { tool, digest, accountId }: Extract<StoredInterrupt, { readonly kind: 'approval_required' }>,
  { edited, allowsMore }: Extract<Decision, { readonly kind: 'approved' }>,
): CallEntry {
  if (edited !== undefined)
    return { ...entry, edited: { tool, input: edited, accountId, isApproved: true }, allowsMore };
  const kept = entry.edited === undefined ? undefined : { ...entry.edited, accountId, isApproved: true };
  return { ...entry, approved: digest, edited: kept, allowsMore };
}

/** Where the user's input was refused, the model's own is asked for again. A used-up approval counts no more. */
function keptInput({ edited }: CallEntry, outcome: WaitingOutcome, isUsedUp: boolean): CallEntry['edited'] {
  const doesNotFit = outcome.kind === 'approval_required' && outcome.fault !== undefined;
  if (edited === undefined) return undefined;
  if (edited.tool !== outcome.tool || doesNotFit) return undefined;
  return { ...edited, isApproved: edited.isApproved && !isUsedUp };
}
