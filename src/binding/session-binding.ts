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
import { readCallback, type Callback } from './callback.js';
import { FlowCookies } from './flow-cookies.js';
import { sameText } from './same-text.js';
import { withoutConflict } from './without-conflict.js';

/** How a callback was answered, for the page. What it does not name is an error. */
export interface Bound {
  readonly kind: 'done' | 'already_done' | 'denied';
  readonly record: FlowRecord;
  /** `Set-Cookie` values with which the flow cookie goes. */
  readonly cookies: readonly string[];
}

/** What is known of an attempt, however far it gets: for the audit trail. */
interface Attempt {
  readonly user: User;
  readonly cookieHeader: string | undefined;
  flowId?: string;
  entry?: LedgerEntry;
  awsRequestId?: string | undefined;
}

/** How long a callback may take to complete a flow. After it, another one may try again. */
const COMPLETING_MS = 15_000;
/** What must be left of it for the call of AgentCore Identity, which ends after ten seconds. */
const ONE_CALL_MS = 11_000;
const MAXIMUM_CLAIMS = 3;
const LOOK_AGAIN_MS = 150;

/** Session binding: completes an authorization for the user who started it, in the browser that started it. */
@Injectable()
export class SessionBinding {
  readonly #completion: AuthorizationCompletion;
  readonly #ledger: FlowLedger;
  readonly #cookies: FlowCookies;
  readonly #audit: Audit;

  constructor(
    @Inject(AUTHORIZATION_COMPLETION) completion: AuthorizationCompletion,
    ledger: FlowLedger,
    cookies: FlowCookies,
    audit: Audit,
  ) {
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
  ): Promise<Bound> {
    const attempt: Attempt = { user, cookieHeader };
    try {
      return await this.#bind(attempt, parameters);
    } catch (error) {
      this.#recordRefusal(attempt, error);
      throw error;
    }
  }

  async #bind(attempt: Attempt, parameters: Readonly<Record<string, unknown>>): Promise<Bound> {
    const callback = readCallback(parameters);
    attempt.flowId = flowIdOf(callback.sessionUri);
    return withoutConflict(async () => {
      const entry = await this.#ledger.read(callback.sessionUri);
      if (entry === undefined) throw new AppError('flow_wrong_browser', { reason: 'no_such_flow' });
      attempt.entry = entry;
      return this.#handle(attempt, entry, callback);
    });
  }

  async #handle(attempt: Attempt, entry: LedgerEntry, callback: Callback): Promise<Bound | 'conflict'> {
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

  async #deny(attempt: Attempt, entry: LedgerEntry): Promise<Bound | 'conflict'> {
    const ended = await this.#end(attempt, entry, 'denied');
    if (ended === 'conflict') return ended;
    this.#audit.record('consent_denied', fieldsOf(attempt, ended));
    return this.#bound('denied', ended, attempt);
  }

  async #claim(attempt: Attempt, entry: LedgerEntry, callback: Callback): Promise<Bound | 'conflict'> {
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

  /** A flow that has ended is what it is: its user is told, and nothing is done again. */
  #repeat(attempt: Attempt, entry: LedgerEntry, callback: Callback): Bound {
    const { record } = entry;
    const misplaced = this.#misplaced(attempt, entry);
    if (misplaced !== undefined) throw misplaced;
    requireState(record, callback);
    switch (record.state as FlowEnd) {
      case 'bound':
        return this.#bound('already_done', entry, attempt);
      case 'denied':
        return this.#bound('denied', entry, attempt);
      case 'expired':
        throw new AppError('flow_expired', { reason: 'ended_before' });
      case 'burnt':
        throw new AppError('flow_burnt', { reason: 'burnt_before' });
    }
  }

  /** Why this is not the browser, or not the user, that the flow belongs to. */
  #misplaced({ user, cookieHeader }: Attempt, entry: LedgerEntry): AppError | undefined {
    if (!this.#cookies.knows(entry, cookieHeader))
      return new AppError('flow_wrong_browser', { reason: 'no_flow_cookie' });
    if (!sameText(entry.record.sub, user.sub))
      return new AppError('flow_wrong_account', { reason: 'flow_of_another_user' });
    return undefined;
  }

  /**
   * A callback in the wrong place means that the link went around: the flow ends, whoever comes next. Not while it is
   * being completed: then it came to the right place first.
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
  ): Promise<Bound> {
    let answer: CompletionAnswer;
    try {
      answer = await this.#completion.complete(callback.sessionUri, attempt.user);
    } catch (error) {
      // The next callback may try again. Where this write fails too, it may once the claim has lapsed.
      await this.#ledger.advance(entry, { state: 'returned' }).catch(() => undefined);
      throw error;
    }
    attempt.awsRequestId = answer.awsRequestId;
    if (answer.kind === 'rejected') {
      await this.#end(attempt, entry, 'expired');
      // An attempt whose answer was lost may have bound it: the trail must not say that it is not.
      const reason = wasTried ? 'completion_rejected_again' : 'completion_rejected';
      throw new AppError('flow_expired', { reason });
    }
    // The token is bound now, whether the ledger can be written or not.
    const ended = await this.#end(attempt, entry, 'bound').catch(() => 'conflict' as const);
    const bound = ended === 'conflict' ? entry : ended;
    this.#audit.record('bound', { ...fieldsOf(attempt, bound), awsRequestId: answer.awsRequestId });
    return this.#bound('done', bound, attempt);
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

  #bound(kind: Bound['kind'], entry: LedgerEntry, { cookieHeader }: Attempt): Bound {
    return { kind, record: entry.record, cookies: this.#cookies.retire(entry, cookieHeader) };
  }

  /** The user's refusals and the service's or operator's failures are told apart: an alarm hangs on each. */
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

/** We send a state with every request, so one that does not come back is as wrong as another's. */
function requireState({ customState }: FlowRecord, { state }: Callback): void {
  if (!sameText(customState, digestOf(state ?? ''))) throw new AppError('flow_invalid', { reason: 'state' });
}

function fieldsOf(
  { user }: Attempt,
  { id, record }: LedgerEntry,
): { user: string; flow: string } & FlowRecord['consent'] {
  return { user: user.sub, flow: id, ...record.consent };
}
