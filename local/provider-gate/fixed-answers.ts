import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../lib/http.ts';
import { ACCOUNTS } from './accounts.ts';
import { GatedApi, type Gate } from './gated-api.ts';
import type { IssuedToken } from './grants.ts';
import type { ProviderRow } from './provider.ts';

/** Answers by method and path, `GET /me` say; `{login}` in them is the account whose token came. */
export type FixedAnswers = Readonly<Record<string, unknown>>;

class FixedAnswersApi extends GatedApi {
  readonly #answers: FixedAnswers;

  constructor(gate: Gate, answers: FixedAnswers) {
    super(gate);
    this.#answers = answers;
  }

  protected serve(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    { login }: IssuedToken,
  ): Promise<void> {
    const [pathname = ''] = path.split('?', 1);
    const answer = this.#answers[`${request.method ?? 'GET'} ${pathname}`];
    const text = JSON.stringify(answer ?? { message: 'Not Found' }).replaceAll('{login}', login);
    const status = answer === undefined ? 404 : request.method === 'GET' ? 200 : 201;
    sendJson(response, status, JSON.parse(text) as object);
    return Promise.resolve();
  }

  protected forget(): void {
    // There is nothing to forget: every answer is fixed.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * A provider whose API answers the same to everybody who may ask: enough to try a provider's tools, its consent and its
 * approvals, and no model of what the provider really does.
 */
export function fixedAnswers(
  { id, brand, scopes }: Pick<ProviderRow, 'id' | 'brand' | 'scopes'>,
  answers: FixedAnswers,
): ProviderRow {
  return {
    id,
    brand: `${brand} (local)`,
    accounts: ACCOUNTS,
    scopes,
    tokenPrefix: `${id}_`,
    authorizePath: '/authorize',
    tokenPath: '/oauth/token',
    apiPrefix: '/api',
    refusalStatus: 400,
    startApi: (gate) => Promise.resolve(new FixedAnswersApi(gate, answers)),
  };
}
