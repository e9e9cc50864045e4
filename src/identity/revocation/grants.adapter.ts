import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { withDeadline } from '../../common/deadline/index.js';
import { errorFields } from '../../common/errors/index.js';
import { REVOCATION_CONFIG, type RevocationClient, type RevocationConfig } from '../../config/index.js';
import type { Grants, RevocationOutcome } from './grants.js';

/** A provider may go on taking a token for a moment. */
const PROBES = 4;
const BETWEEN_PROBES_MS = 500;
const REFUSED = 401;

/** The providers over HTTP, as the client of the OAuth app. The only place that knows the client's secret. */
@Injectable()
export class GrantsAdapter implements Grants {
  readonly #logger = new Logger(GrantsAdapter.name);
  readonly #config: RevocationConfig;

  constructor(@Inject(REVOCATION_CONFIG) config: RevocationConfig) {
    this.#config = config;
  }

  canRevoke(provider: string): boolean {
    return Object.hasOwn(this.#config.clients, provider);
  }

  async revoke(provider: string, tokens: readonly string[]): Promise<RevocationOutcome> {
    const client = this.canRevoke(provider) ? this.#config.clients[provider] : undefined;
    if (client === undefined) return 'not_proven';
    const outcomes = await Promise.all(tokens.map((token) => this.#revokeOne(provider, client, token)));
    const worst = (['still_valid', 'not_proven'] as const).find((each) => outcomes.includes(each));
    return worst ?? 'proven';
  }

  async #revokeOne(provider: string, client: RevocationClient, token: string): Promise<RevocationOutcome> {
    try {
      return await withDeadline(this.#config.deadlineMs, undefined, async (signal) => {
        const status = await asked(endOfGrant(client, token), signal);
        this.#logger.log({ event: 'grant_revocation_answered', provider, status });
        return await this.#probe(client, token, signal);
      });
    } catch (error) {
      this.#logger.error({ event: 'grant_revocation_failed', provider, ...errorFields(error) });
      return 'not_proven';
    }
  }

  /** The provider's answer to the revocation proves nothing; its refusal of the old token does. */
  async #probe(
    { apiBase, probePath }: RevocationClient,
    token: string,
    signal: AbortSignal,
  ): Promise<RevocationOutcome> {
    const headers = { ...COMMON, authorization: `Bearer ${token}` };
    let status = 0;
    for (let probe = 1; probe <= PROBES; probe += 1) {
      status = await asked(new Request(apiBase + probePath, { headers }), signal);
      if (status === REFUSED) return 'proven';
      await delay(BETWEEN_PROBES_MS, undefined, { signal });
    }
    return status >= 200 && status < 300 ? 'still_valid' : 'not_proven';
  }
}

const COMMON = { accept: 'application/json', 'user-agent': 'OnBehalf session-binding' };

/**
 * The request that ends a grant. GitHub: https://docs.github.com/rest/apps/oauth-applications#delete-an-app-authorization;
 * others: RFC 7009, section 2.1.
 */
function endOfGrant(
  { apiBase, clientId, clientSecret, revocation }: RevocationClient,
  token: string,
): Request {
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString(
    'base64',
  );
  const headers = { ...COMMON, authorization: `Basic ${basic}` };
  if (revocation === 'github')
    return new Request(`${apiBase}/applications/${encodeURIComponent(clientId)}/grant`, {
      method: 'DELETE',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ access_token: token }),
    });
  return new Request(revocation.endpoint, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
  });
}

async function asked(request: Request, signal: AbortSignal): Promise<number> {
  const response = await fetch(request, { redirect: 'error', signal });
  await response.body?.cancel();
  return response.status;
}
