import type { StoredInterrupt } from '../../sessions/index.js';
import type {
  AccountChanged,
  ApprovalRequired,
  AuthorizationRequired,
  EditedInput,
} from '../../tools/index.js';

/*
 * An interrupt goes one way. A tool call raises it; it is presented to the user and stored with the conversation; the
 * user answers it, and the call is made again with the answer.
 */

/** The outcome of a call that has to wait for its user. Stays in memory: it can hold an authorization URL. */
export type WaitingOutcome = AuthorizationRequired | ApprovalRequired | AccountChanged;

/** A call that waits, and how it came to that. */
export interface RaisedInterrupt {
  readonly toolCallId: string;
  readonly outcome: WaitingOutcome;
  /** How often this call has been paused, this time included. */
  readonly pauses: number;
  /** The digest of the call that the user has approved before, and that has not been made yet. */
  readonly approved: string | undefined;
  /** The input that the user has approved before in the place of the model's. */
  readonly edited?: EditedInput | undefined;
  readonly allowsMore?: boolean;
  readonly reauthenticated: boolean;
}

/** An interrupt as it is stored, and as the user is shown it now. */
export interface PresentedInterrupt {
  readonly stored: StoredInterrupt;
  readonly message: string;
  /** The member of the answer's payload that decides; absent where the status alone does. */
  readonly decidedBy?: 'approved' | 'switch';
  /** The link to the page before consent, and until when it is good: Unix milliseconds. */
  readonly link?: { readonly url: string; readonly expiresAt: number };
}

/** A user's answer, as it arrives. */
export interface InterruptAnswer {
  readonly interruptId: string;
  readonly status: 'resolved' | 'cancelled';
  readonly payload?: unknown;
}

export interface AnsweredInterrupt {
  readonly stored: StoredInterrupt;
  readonly answer: InterruptAnswer;
}

/** The meaning of an answer. `undecided`: the call is made again, and asks again if it has to. */
export type Decision =
  | {
      readonly kind: 'declined';
      readonly code: 'consent_declined' | 'approval_declined' | 'account_declined';
    }
  | {
      readonly kind: 'approved';
      /** What is to be sent in the place of what was shown. */
      readonly edited?: unknown;
      readonly allowsMore: boolean;
    }
  | { readonly kind: 'switched' | 'consent_again' | 'undecided' };

/**
 * Approving, and switching accounts, is said and never implied: `{"approved": true}`, `{"switch": true}`. An approval can
 * have another `input`, and `"allow": "conversation"`.
 */
export function decisionOf({ stored, answer: { status, payload } }: AnsweredInterrupt): Decision {
  const isCancelled = status === 'cancelled';
  switch (stored.kind) {
    case 'authorization_required':
      return isCancelled ? { kind: 'declined', code: 'consent_declined' } : { kind: 'undecided' };
    case 'approval_required': {
      const approved = flagOf(payload, 'approved');
      if (isCancelled || approved === false) return { kind: 'declined', code: 'approval_declined' };
      return approved === true ? approvalIn(payload as object) : { kind: 'undecided' };
    }
    case 'account_changed':
      if (isCancelled) return { kind: 'declined', code: 'account_declined' };
      return { kind: flagOf(payload, 'switch') === true ? 'switched' : 'consent_again' };
  }
}

function approvalIn(payload: object): Decision {
  const allowsMore = Object.hasOwn(payload, 'allow') && Reflect.get(payload, 'allow') === 'conversation';
  const edited = Object.hasOwn(payload, 'input') ? { edited: Reflect.get(payload, 'input') as unknown } : {};
  return { kind: 'approved', allowsMore, ...edited };
}

/** Whether a member of a payload is true; undefined where there is no such member. */
function flagOf(payload: unknown, name: string): boolean | undefined {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, name)) return undefined;
  return Reflect.get(payload, name) === true;
}
