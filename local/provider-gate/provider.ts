import type { IncomingMessage, ServerResponse } from 'node:http';
import { FaultSwitch } from '../lib/faults.ts';
import { readForm, sendJson, serve, urlOf } from '../lib/http.ts';
import type { Listen, Part } from '../lib/part.ts';
import { AuthorizePages, type ScopeText } from './authorize.ts';
import { Browsers, type Account } from './browsers.ts';
import type { Gate, GatedApi } from './gated-api.ts';
import { Grants, TokenRefused, type OAuthClient } from './grants.ts';
import { SitePages } from './site-pages.ts';

/** One row of the table of providers: the stand-in for a provider on a laptop. */
export interface ProviderRow {
  /** The same id as in the provider's folder in `src`. */
  readonly id: string;
  readonly brand: string;
  readonly accounts: readonly Account[];
  readonly scopes: Readonly<Record<string, ScopeText>>;
  /** The prefix of its access tokens. */
  readonly tokenPrefix: string;
  readonly authorizePath: string;
  readonly tokenPath: string;
  /** The path prefix of its REST API; may be empty. */
  readonly apiPrefix: string;
  /** The page on which a user revokes what applications may do. */
  readonly settingsPath: string;
  /** The status of a refusal by its token endpoint: 400 (RFC 6749, 5.2), at GitHub 200. */
  readonly refusalStatus: number;
  readonly startApi: (gate: Gate) => Promise<GatedApi>;
  /** Whether a client can end here what users have granted to it. */
  readonly endsGrants?: true;
}

export interface ProviderOptions extends Listen {
  readonly clients: readonly OAuthClient[];
  readonly now?: () => number;
  readonly stateFile?: string;
}

export interface LocalProvider extends Part {
  readonly row: ProviderRow;
  readonly grants: Grants;
  readonly api: GatedApi;
  /** The base of its REST API. */
  readonly apiBase: string;
}

/**
 * A provider: its API, and the gate in front of it, which handles sign-in, consent, tokens, expiry, refresh and revocation.
 */
export async function startProvider(row: ProviderRow, options: ProviderOptions): Promise<LocalProvider> {
  const now = options.now ?? Date.now;
  const faults = new FaultSwitch();
  const { clients, stateFile } = options;
  const { tokenPrefix, brand, accounts, scopes, settingsPath } = row;
  const browsers = new Browsers(brand, accounts);
  const grants = new Grants({ clients, tokenPrefix, now, ...(stateFile !== undefined && { stateFile }) });
  const pages = new AuthorizePages({ browsers, scopes, grants });
  const api = await row.startApi({ grants, now, publicUrl: () => serving.url });
  const site = new SitePages({ brand, browsers, scopes, grants, api, settingsPath });
  const serving = await serve(
    async (request, response) => {
      const { pathname } = urlOf(request);
      if (pathname === row.authorizePath) await pages.handle(request, response);
      else if (pathname === row.tokenPath) await answerToken(row, grants, request, response);
      else if (pathname.startsWith(`${row.apiPrefix}/`))
        await api.handle(request, response, (request.url ?? '').slice(row.apiPrefix.length));
      else if (!(await site.handle(request, response))) sendJson(response, 404, { message: 'Not Found' });
    },
    faults,
    options,
  );
  return {
    row,
    url: serving.url,
    apiBase: serving.url + row.apiPrefix,
    faults,
    grants,
    api,
    close: async () => {
      await serving.close();
      await api.close();
    },
    reset: () => {
      grants.reset();
      browsers.reset();
      api.reset();
      faults.clear();
      return Promise.resolve();
    },
  };
}

/** The answer is a form unless the client requests JSON, as at GitHub. */
async function answerToken(
  { refusalStatus }: ProviderRow,
  grants: Grants,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const form = await readForm(request);
  let answer: Readonly<Record<string, unknown>>;
  let status = 200;
  try {
    answer = { ...grants.token(form) };
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    answer = { error: error.code, error_description: error.message };
    status = refusalStatus;
  }
  if ((request.headers.accept ?? '').includes('application/json')) {
    sendJson(response, status, answer, { 'cache-control': 'no-store' });
    return;
  }
  response.writeHead(status, {
    'content-type': 'application/x-www-form-urlencoded',
    'cache-control': 'no-store',
  });
  response.end(
    new URLSearchParams(Object.entries(answer).map(([name, value]) => [name, String(value)])).toString(),
  );
}
