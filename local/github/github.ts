import { createEmulator } from 'emulate';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FaultSwitch } from '../lib/faults.ts';
import { readForm, sendJson, serve, urlOf } from '../lib/http.ts';
import type { Listen, Part } from '../lib/part.ts';
import { AuthorizePages } from '../provider-gate/authorize.ts';
import { Grants, TokenRefused, type OAuthClient } from '../provider-gate/grants.ts';
import { ApiGate } from './api-gate.ts';
import { ACCOUNTS, SCOPES, seed, upstreamToken } from './seed.ts';

export interface GitHubOptions extends Listen {
  readonly clients: readonly OAuthClient[];
  readonly now?: () => number;
  readonly stateFile?: string;
}

export interface LocalGitHub extends Part {
  readonly grants: Grants;
  readonly api: ApiGate;
}

/** Where GitHub Enterprise Server keeps its REST API; github.com has a host of its own for it. */
export const API_PREFIX = '/api/v3';

/**
 * GitHub: `emulate` holds the REST state; a gate in front of it owns what `emulate` leaves open: sign-in, consent,
 * tokens, expiry, refresh, revocation, scopes and rate limits.
 */
export async function startGitHub(options: GitHubOptions): Promise<LocalGitHub> {
  const now = options.now ?? Date.now;
  const faults = new FaultSwitch();
  const upstream = await createEmulator({ service: 'github', port: 0, seed: seed() });
  const grants = new Grants({
    clients: options.clients,
    tokenPrefix: 'gho_',
    now,
    ...(options.stateFile !== undefined && { stateFile: options.stateFile }),
  });
  const pages = new AuthorizePages({ brand: 'GitHub (local)', accounts: ACCOUNTS, scopes: SCOPES, grants });
  const api = new ApiGate({
    upstreamUrl: upstream.url,
    publicUrl: () => serving.url,
    grants,
    upstreamToken,
    now,
  });
  const serving = await serve(
    async (request, response) => {
      const { pathname } = urlOf(request);
      if (pathname === '/login/oauth/authorize') await pages.handle(request, response);
      else if (pathname === '/login/oauth/access_token') await answerToken(grants, request, response);
      else if (pathname.startsWith(`${API_PREFIX}/`)) await api.handle(request, response, API_PREFIX);
      else sendJson(response, 404, { message: 'Not Found' });
    },
    faults,
    options,
  );
  return {
    url: serving.url,
    faults,
    grants,
    api,
    close: async () => {
      await serving.close();
      await upstream.close();
    },
    reset: () => {
      upstream.reset();
      grants.reset();
      pages.reset();
      api.reset();
      faults.clear();
      return Promise.resolve();
    },
  };
}

/** GitHub answers 200 for refusals too, and a form unless JSON is asked for. */
async function answerToken(
  grants: Grants,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const form = await readForm(request);
  let answer: Readonly<Record<string, unknown>>;
  try {
    answer = { ...grants.token(form) };
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    answer = { error: error.code, error_description: error.message };
  }
  if ((request.headers.accept ?? '').includes('application/json')) {
    sendJson(response, 200, answer, { 'cache-control': 'no-store' });
    return;
  }
  response.writeHead(200, {
    'content-type': 'application/x-www-form-urlencoded',
    'cache-control': 'no-store',
  });
  response.end(
    new URLSearchParams(Object.entries(answer).map(([name, value]) => [name, String(value)])).toString(),
  );
}
