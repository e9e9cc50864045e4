import { Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../common/errors/index.js';
import {
  IDENTITY_SERVICE,
  type CompletionAnswer,
  type IdentityService,
  type User,
} from '../identity/index.js';
import { FlowCookies, type Flow } from './flow-cookies.js';
import { sameText } from './same-text.js';

/** What the browser brought back. */
export interface Callback {
  readonly sessionUri: string;
  readonly state?: string;
  /** The user has refused at the provider. */
  readonly denied: boolean;
}

export type Bound =
  /** `cookie` marks the flow as done in this browser. */
  | { readonly kind: 'done'; readonly flow: Flow; readonly cookie: string }
  | { readonly kind: 'already_done'; readonly flow: Flow };

/** Session binding: completes an authorization for the user who started it, in the browser that started it. */
@Injectable()
export class SessionBinding {
  readonly #logger = new Logger('SessionBinding');
  readonly #identity: IdentityService;
  readonly #cookies: FlowCookies;
  /**
   * A page that is loaded twice at once completes once, and both say so. A help within one task only: that a session URI
   * works once is the service's own rule.
   */
  readonly #completions = new LRUCache<string, Promise<CompletionAnswer>>({ max: 1_000, ttl: 60_000 });

  constructor(@Inject(IDENTITY_SERVICE) identity: IdentityService, cookies: FlowCookies) {
    this.#identity = identity;
    this.#cookies = cookies;
  }

  /**
   * @throws AppError `flow_wrong_browser` | `flow_wrong_account` | `flow_invalid` | `flow_expired` | `flow_denied` |
   * `identity_unavailable` | `identity_misconfigured`
   */
  async bind(user: User, callback: Callback, cookieHeader: string | undefined): Promise<Bound> {
    const flow = await this.#cookies.read(cookieHeader, callback.sessionUri);
    if (flow === undefined) throw new AppError('flow_wrong_browser', { reason: 'no_flow_cookie' });
    if (!sameText(flow.sub, user.sub))
      throw new AppError('flow_wrong_account', { reason: 'flow_of_another_user' });
    if (!sameText(flow.sessionUri, callback.sessionUri))
      throw new AppError('flow_invalid', { reason: 'session_uri' });
    // We send a state with every request, so one that does not come back is as wrong as another's.
    if (!sameText(flow.customState, callback.state ?? ''))
      throw new AppError('flow_invalid', { reason: 'state' });
    if (flow.done) return { kind: 'already_done', flow };
    if (callback.denied) throw new AppError('flow_denied', { reason: 'denied' });
    const answer = await this.#complete(callback.sessionUri, user);
    if (answer === 'rejected') throw new AppError('flow_expired', { reason: 'completion_rejected' });
    this.#logger.log({ event: 'bound', provider: flow.provider });
    return { kind: 'done', flow, cookie: await this.#cookies.write({ ...flow, done: true }) };
  }

  #complete(sessionUri: string, user: User): Promise<CompletionAnswer> {
    const key = `${user.sub}\n${sessionUri}`;
    const running = this.#completions.get(key);
    if (running !== undefined) return running;
    const started = this.#identity.completeAuthorization(sessionUri, user);
    this.#completions.set(key, started);
    const forget = (): void => {
      this.#completions.delete(key);
    };
    started.then((answer) => {
      if (answer === 'rejected') forget();
    }, forget);
    return started;
  }
}
