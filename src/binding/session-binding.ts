import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Audit } from '../audit/index.js';
import { AppError, errorFields } from '../common/errors/index.js';
import { asAppError } from '../common/http/index.js';
import {
  IDENTITY_SERVICE,
  type CompletionAnswer,
  type IdentityService,
  type User,
} from '../identity/index.js';
import { readCallback } from './callback.js';
import { FlowCookies, type Flow } from './flow-cookies.js';
import { sameText } from './same-text.js';

export type Bound =
  /** `cookie` marks the flow as done in this browser. */
  | { readonly kind: 'done'; readonly flow: Flow; readonly cookie: string }
  | { readonly kind: 'already_done'; readonly flow: Flow };

/** What is known of an attempt, however far it gets: for the audit trail. */
interface Attempt {
  flow?: Flow;
  awsRequestId?: string | undefined;
}

/** Session binding: completes an authorization for the user who started it, in the browser that started it. */
@Injectable()
export class SessionBinding {
  readonly #identity: IdentityService;
  readonly #cookies: FlowCookies;
  readonly #audit: Audit;
  /**
   * A page that is loaded twice at once completes once, and both say so. A help within one task only: that a session URI
   * works once is the service's own rule.
   */
  readonly #completions = new LRUCache<string, Promise<CompletionAnswer>>({ max: 1_000, ttl: 60_000 });

  constructor(@Inject(IDENTITY_SERVICE) identity: IdentityService, cookies: FlowCookies, audit: Audit) {
    this.#identity = identity;
    this.#cookies = cookies;
    this.#audit = audit;
  }

  /**
   * @param parameters the callback's query, as it came
   * @throws AppError `flow_wrong_browser` | `flow_wrong_account` | `flow_invalid` | `flow_expired` | `flow_denied` |
   * `identity_unavailable` | `identity_misconfigured`
   */
  async bind(
    user: User,
    parameters: Readonly<Record<string, unknown>>,
    cookieHeader: string | undefined,
  ): Promise<Bound> {
    const attempt: Attempt = {};
    try {
      return await this.#bind(attempt, user, parameters, cookieHeader);
    } catch (error) {
      this.#recordRefusal(attempt, user, error);
      throw error;
    }
  }

  async #bind(
    attempt: Attempt,
    user: User,
    parameters: Readonly<Record<string, unknown>>,
    cookieHeader: string | undefined,
  ): Promise<Bound> {
    const callback = readCallback(parameters);
    const flow = await this.#cookies.read(cookieHeader, callback.sessionUri);
    if (flow === undefined) throw new AppError('flow_wrong_browser', { reason: 'no_flow_cookie' });
    attempt.flow = flow;
    if (!sameText(flow.sub, user.sub))
      throw new AppError('flow_wrong_account', { reason: 'flow_of_another_user' });
    if (!sameText(flow.sessionUri, callback.sessionUri))
      throw new AppError('flow_invalid', { reason: 'session_uri' });
    // We send a state with every request, so one that does not come back is as wrong as another's.
    if (!sameText(flow.customState, callback.state ?? ''))
      throw new AppError('flow_invalid', { reason: 'state' });
    if (flow.done) return { kind: 'already_done', flow };
    if (callback.denied) throw new AppError('flow_denied', { reason: 'denied' });
    const { kind, awsRequestId } = await this.#complete(flow, user);
    attempt.awsRequestId = awsRequestId;
    if (kind === 'rejected') throw new AppError('flow_expired', { reason: 'completion_rejected' });
    return { kind: 'done', flow, cookie: await this.#cookies.write({ ...flow, done: true }) };
  }

  /** Who joins a completion that is running adds no line of their own. */
  #complete({ sessionUri, consent }: Flow, user: User): Promise<CompletionAnswer> {
    const key = `${user.sub}\n${sessionUri}`;
    const running = this.#completions.get(key);
    if (running !== undefined) return running;
    const started = this.#identity.completeAuthorization(sessionUri, user);
    this.#completions.set(key, started);
    const forget = (): void => {
      this.#completions.delete(key);
    };
    started.then(({ kind, awsRequestId }) => {
      if (kind === 'rejected') forget();
      else this.#audit.record('bound', { user: user.sub, ...consent, awsRequestId });
    }, forget);
    return started;
  }

  /** The user's refusals and the service's or operator's failures are told apart: an alarm hangs on each. */
  #recordRefusal({ flow, awsRequestId }: Attempt, user: User, error: unknown): void {
    const refusal = asAppError(error);
    const { code, reason = 'unknown' } = refusal;
    const upstream = awsRequestId ?? errorFields(refusal.cause).awsRequestId;
    const event = refusal.row.status >= 500 ? 'binding_failed' : 'binding_refused';
    const fields = { user: user.sub, ...flow?.consent, code, reason, awsRequestId: upstream };
    this.#audit.record(event, fields);
  }
}
