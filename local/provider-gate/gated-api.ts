import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../lib/http.ts';
import type { Grants, IssuedToken } from './grants.ts';

/** The context that the gate passes to the API behind it. */
export interface Gate {
  readonly grants: Grants;
  readonly publicUrl: () => string;
  readonly now: () => number;
}

/** What a page of a provider's site is about. */
export interface Subject {
  /** What it is: "an issue". */
  readonly kind: string;
  readonly title: string;
  readonly text: string;
}

/** A provider's REST API behind the gate, which requires a valid token and applies the rate limit. */
export abstract class GatedApi {
  protected readonly gate: Gate;
  readonly #limitedUntil = new Map<string, number>();
  /** The tokens of the requests that reached the API, for tests. */
  readonly seenTokens: string[] = [];

  constructor(gate: Gate) {
    this.gate = gate;
  }

  /** Answers a request with a valid token. @param path the path with its query, without the prefix of the API */
  protected abstract serve(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    grant: IssuedToken,
  ): Promise<void>;

  /**
   * What a page of the provider's site is about, for a browser that is signed in there or not. Undefined where the provider has no
   * such page, or does not show it to that account.
   */
  subjectOf?(path: string, login: string | undefined): Promise<Subject | undefined>;

  protected abstract forget(): void;
  abstract close(): Promise<void>;

  /** Refuses the user's calls with a rate limit for the given number of seconds. */
  limit(login: string, seconds: number): void {
    this.#limitedUntil.set(login, this.gate.now() + seconds * 1000);
  }

  reset(): void {
    this.#limitedUntil.clear();
    this.seenTokens.length = 0;
    this.forget();
  }

  async handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const accessToken = /^(?:bearer|token) (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const grant = accessToken === undefined ? undefined : this.gate.grants.inspect(accessToken);
    if (accessToken === undefined || grant === undefined) {
      const message = accessToken === undefined ? 'Requires authentication' : 'Bad credentials';
      sendJson(response, 401, { message });
      return;
    }
    this.seenTokens.push(accessToken);
    if (!this.#refuseForRate(grant, response)) await this.serve(request, response, path, grant);
  }

  #refuseForRate(grant: IssuedToken, response: ServerResponse): boolean {
    const until = this.#limitedUntil.get(grant.login) ?? 0;
    const seconds = Math.ceil((until - this.gate.now()) / 1000);
    if (seconds <= 0) return false;
    const headers = {
      'retry-after': String(seconds),
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(Math.ceil(until / 1000)),
    };
    sendJson(response, 403, { message: 'API rate limit exceeded for user.' }, headers);
    return true;
  }
}
