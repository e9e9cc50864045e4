import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { Audit } from '../audit/index.js';
import { AppError, errorFields } from '../common/errors/index.js';
import { asAppError } from '../common/http/index.js';
import {
  AUTHORIZATION_COMPLETION,
  type AuthorizationCompletion,
  type CompletionAnswer,
} from '../identity/authorization-completion/index.js';
import {
  digestOf,
  FlowLedger,
  flowIdOf,
  hasEnded,
  type FlowEnd,
  type FlowRecord,
  type LedgerEntry,
} from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import { Receipts } from '../receipts/index.js';
import { readCallback, type Callback } from './callback.js';
import { FlowCookies } from './flow-cookies.js';
import { sameText } from './same-text.js';
import { withoutConflict } from './without-conflict.js';

/** The outcome of a callback that was answered. Every other outcome is an AppError. */
export interface BindingOutcome {
  readonly kind: 'done' | 'already_done' | 'denied';
  readonly record: FlowRecord;
  /** `Set-Cookie` values that remove the flow cookie. */
  readonly cookies: readonly string[];
}

/** The known facts about an attempt, for the audit trail. It is filled in step by step. */
interface Attempt {
  readonly user: User;
  readonly cookieHeader: string | undefined;
  flowId?: string;
  entry?: LedgerEntry;
  awsRequestId?: string | undefined;
}

/** How long a callback may take to complete a flow. After that time, another callback may try again. */
const COMPLETING_MS = 15_000;
/** The part of that time that must remain for the call of AgentCore Identity, which ends after ten seconds. */
const ONE_CALL_MS = 11_000;
const MAXIMUM_CLAIMS = 3;
const LOOK_AGAIN_MS = 150;

/** Session binding: completes an authorization for the user who started it, in the browser that started it. */
@Injectable()
export class SessionBinding {
  readonly #completion: AuthorizationCompletion;
  readonly #ledger: FlowLedger;
  readonly #cookies: FlowCookies;
  readonly #receipts: Receipts;
  readonly #audit: Audit;

  constructor(
    @Inject(AUTHORIZATION_COMPLETION) completion: AuthorizationCompletion,
    ledger: FlowLedger,
    cookies: FlowCookies,
    receipts: Receipts,
    audit: Audit,
  ) {
    this.#receipts = receipts;
    this.#completion = completion;
    this.#ledger = ledger;
    this.#cookies = cookies;
    this.#audit = audit;
  }

  /**
   * @param parameters the callback's query, as it came
   * @throws AppError `flow_wrong_browser` | `flow_wrong_account` | `flow_invalid` | `flow_expired` | `flow_burnt` |
   * `flow_denied` | `flows_unavailable` | `identity_unavailable` | `identity_misconfigured`
   */
  async bind(
    user: User,
    parameters: Readonly<Record<string, unknown>>,
    cookieHeader: string | undefined,
  ): Promise<BindingOutcome> {
    const attempt: Attempt = { user, cookieHeader };
    try {
      return await this.#bind(attempt, parameters);
    } catch (error) {
      this.#recordRefusal(attempt, error);
      throw error;
    }
  }

  async #bind(attempt: Attempt, parameters: Readonly<Record<string, unknown>>): Promise<BindingOutcome> {
    const callback = readCallback(parameters);
    attempt.flowId = flowIdOf(callback.sessionUri);
    return withoutConflict(async () => {
      const entry = await this.#ledger.read(callback.sessionUri);
      if (entry === undefined) throw new AppError('flow_wrong_browser', { reason: 'no_such_flow' });
      attempt.entry = entry;
      return this.#handle(attempt, entry, callback);
    });
  }

  async #handle(
    attempt: Attempt,
    entry: LedgerEntry,
    callback: Callback,
  ): Promise<BindingOutcome | 'conflict'> {
    const { record } = entry;
    if (hasEnded(record.state)) return this.#repeat(attempt, entry, callback);
    if (record.expiresAt <= Date.now() && !isCompleting(record)) {
      const ended = await this.#end(attempt, entry, 'expired');
      if (ended === 'conflict') return ended;
      throw new AppError('flow_expired', { reason: 'ten_minutes' });
    }
    const misplaced = this.#misplaced(attempt, entry);
    if (misplaced !== undefined) return this.#burn(attempt, entry, misplaced);
    requireState(record, callback);
    if (isCompleting(record)) {
      await this.#afterwards(record, callback);
      return 'conflict';
    }
    return callback.denied ? this.#deny(attempt, entry) : this.#claim(attempt, entry, callback);
  }

  async #deny(attempt: Attempt, entry: LedgerEntry): Promise<BindingOutcome | 'conflict'> {
    const ended = await this.#end(attempt, entry, 'denied');
    if (ended === 'conflict') return ended;
    this.#audit.record('consent_denied', fieldsOf(attempt, ended));
    return this.#outcome('denied', ended, attempt);
  }

  async #claim(
    attempt: Attempt,
    entry: LedgerEntry,
    callback: Callback,
  ): Promise<BindingOutcome | 'conflict'> {
    const wasTried = entry.record.state === 'returned';
    let claimed = entry;
    for (let claims = 0; claims < MAXIMUM_CLAIMS; claims += 1) {
      const completingUntil = Date.now() + COMPLETING_MS;
      const next = await this.#ledger.advance(claimed, { state: 'returned', completingUntil });
      if (next === 'conflict') return next;
      // A slow write has used up the time that the call needs.
      if (completingUntil - Date.now() >= ONE_CALL_MS)
        return this.#complete(attempt, next, callback, wasTried);
      claimed = next;
    }
    throw new AppError('flows_unavailable', { reason: 'store_too_slow' });
  }

  /** A flow that has ended does not change. Its user is shown the result, and no step is repeated. */
  #repeat(attempt: Attempt, entry: LedgerEntry, callback: Callback): BindingOutcome {
    const { record } = entry;
    const misplaced = this.#misplaced(attempt, entry);
    if (misplaced !== undefined) throw misplaced;
    requireState(record, callback);
    switch (record.state as FlowEnd) {
      case 'bound':
        return this.#outcome('already_done', entry, attempt);
      case 'denied':
        return this.#outcome('denied', entry, attempt);
      case 'expired':
        throw new AppError('flow_expired', { reason: 'ended_before' });
      case 'burnt':
        throw new AppError('flow_burnt', { reason: 'burnt_before' });
    }
  }

  /** The reason why the flow does not belong to this browser or this user; undefined when it does. */
  #misplaced({ user, cookieHeader }: Attempt, entry: LedgerEntry): AppError | undefined {
    if (!this.#cookies.knows(entry, cookieHeader))
      return new AppError('flow_wrong_browser', { reason: 'no_flow_cookie' });
    if (!sameText(entry.record.sub, user.sub))
      return new AppError('flow_wrong_account', { reason: 'flow_of_another_user' });
    return undefined;
  }

  /**
   * A callback from another browser or user means that the link was passed on, so the flow is stopped for everyone. It is not
   * stopped while it is being completed, because then the correct browser came first.
   */
  async #burn(attempt: Attempt, entry: LedgerEntry, why: AppError): Promise<'conflict'> {
    if (!isCompleting(entry.record)) {
      const ended = await this.#end(attempt, entry, 'burnt');
      if (ended === 'conflict') return ended;
    }
    throw why;
  }

  async #complete(
    attempt: Attempt,
    entry: LedgerEntry,
    callback: Callback,
    wasTried: boolean,
  ): Promise<BindingOutcome> {
    let answer: CompletionAnswer;
    try {
      answer = await this.#completion.complete(callback.sessionUri, attempt.user);
    } catch (error) {
      // The next callback may try again. If this write fails too, the next callback may try again after the claim has lapsed.
      await this.#ledger.advance(entry, { state: 'returned' }).catch(() => undefined);
      throw error;
    }
    attempt.awsRequestId = answer.awsRequestId;
    if (answer.kind === 'rejected') {
      await this.#end(attempt, entry, 'expired');
      // An earlier attempt whose answer was lost may have bound the token, so the audit trail must not say that it is not bound.
      const reason = wasTried ? 'completion_rejected_again' : 'completion_rejected';
      throw new AppError('flow_expired', { reason });
    }
    // The token is bound now, even if the ledger cannot be written.
    const ended = await this.#end(attempt, entry, 'bound').catch(() => 'conflict' as const);
    const bound = ended === 'conflict' ? entry : ended;
    this.#audit.record('bound', { ...fieldsOf(attempt, bound), awsRequestId: answer.awsRequestId });
    this.#receipt(attempt, bound);
    return this.#outcome('done', bound, attempt);
  }

  #receipt({ user }: Attempt, { record: { consent } }: LedgerEntry): void {
    const { sessionId, runId, provider, scopes } = consent;
    void this.#receipts.write(user.sub, { kind: 'connected', provider, sessionId, runId, scopes });
  }

  /** Waits until another callback of this flow has been answered, or its claim has lapsed. */
  async #afterwards({ completingUntil = 0 }: FlowRecord, { sessionUri }: Callback): Promise<void> {
    while (Date.now() < completingUntil) {
      await delay(LOOK_AGAIN_MS);
      const now = await this.#ledger.read(sessionUri);
      if (now?.record.completingUntil === undefined) {
        if (now?.record.state === 'returned')
          throw new AppError('identity_unavailable', { reason: 'completion_beside_this_failed' });
        return;
      }
    }
  }

  async #end(attempt: Attempt, entry: LedgerEntry, state: FlowEnd): Promise<LedgerEntry | 'conflict'> {
    const ended = await this.#ledger.advance(entry, { state });
    if (ended !== 'conflict') attempt.entry = ended;
    return ended;
  }

  #outcome(kind: BindingOutcome['kind'], entry: LedgerEntry, { cookieHeader }: Attempt): BindingOutcome {
    return { kind, record: entry.record, cookies: this.#cookies.retire(entry, cookieHeader) };
  }

  /**
   * Refusals caused by the user and failures of the service or the operator are separate events, because each has its own
   * alarm.
   */
  #recordRefusal(attempt: Attempt, error: unknown): void {
    const refusal = asAppError(error);
    const { code, reason = 'unknown' } = refusal;
    const { flowId, entry, user } = attempt;
    const event = refusal.row.status >= 500 ? 'binding_failed' : 'binding_refused';
    this.#audit.record(event, {
      user: user.sub,
      ...entry?.record.consent,
      ...(flowId !== undefined && { flow: flowId }),
      ...(entry !== undefined && { flowState: entry.record.state, owner: entry.record.sub }),
      code,
      reason,
      awsRequestId: attempt.awsRequestId ?? errorFields(refusal.cause).awsRequestId,
    });
  }
}

function isCompleting({ completingUntil = 0 }: FlowRecord): boolean {
  return completingUntil > Date.now();
}

/** We send a state with every request, so a missing state is as invalid as a wrong one. */
function requireState({ customState }: FlowRecord, { state }: Callback): void {
  if (!sameText(customState, digestOf(state ?? ''))) throw new AppError('flow_invalid', { reason: 'state' });
}

function fieldsOf(
  { user }: Attempt,
  { id, record }: LedgerEntry,
): { user: string; flow: string } & FlowRecord['consent'] {
  return { user: user.sub, flow: id, ...record.consent };
}
