import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../lib/http.ts';
import { ACCOUNTS } from './accounts.ts';
import { GatedApi, type Gate } from './gated-api.ts';
import type { IssuedToken } from './grants.ts';
import type { ProviderRow } from './provider.ts';

/** Answers by method and path, for example `GET /me`. `{login}` in an answer is replaced by the account of the token. */
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
 * A provider whose API gives the same fixed answers to everyone with a valid token. It is enough to try a provider's tools,
 * consent and approvals, but it does not imitate the real behaviour of the provider.
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
    settingsPath: '/settings/applications',
    refusalStatus: 400,
    startApi: (gate) => Promise.resolve(new FixedAnswersApi(gate, answers)),
  };
}
