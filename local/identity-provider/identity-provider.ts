import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { FaultSwitch } from '../lib/faults.ts';
import { readForm, sendHtml, serve, urlOf } from '../lib/http.ts';
import { escapeHtml, page } from '../lib/page.ts';
import type { Listen, Part } from '../lib/part.ts';
import { MemoryAdapter, type Entries } from './memory-adapter.ts';
import { claimsOf, CLAIM_NAMES, usersOf, type Tenant, type TenantUser, type WrittenUser } from './users.ts';

/** An application that is registered with the identity provider. */
export interface OidcClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
}

export interface IdentityProviderOptions extends Listen {
  readonly clients: readonly OidcClient[];
  /** The product whose claims it has; default Entra ID. */
  readonly tenant?: Tenant;
  readonly users?: readonly WrittenUser[];
}

export interface LocalIdentityProvider extends Part {
  readonly users: readonly TenantUser[];
}

const BRAND = 'Example Tenant (local)';
const HOUR_S = 3600;
/** An API of the tenant, and the scope with which a sign-in asks for a token for it. */
const API = 'api://onbehalf';
export const API_SCOPE = `${API}/agent`;

/**
 * With the API's scope, the access token is a JWT for that API, and the userinfo endpoint refuses it: so a load balancer
 * that asks for such a token can sign nobody in.
 */
const RESOURCES = {
  enabled: true,
  defaultResource: (context: KoaContextWithOIDC): string | string[] => (asksForApi(context) ? API : []),
  useGrantedResource: () => true,
  getResourceServerInfo: () => ({ scope: API_SCOPE, audience: API, accessTokenFormat: 'jwt' as const }),
};

function asksForApi({ oidc }: KoaContextWithOIDC): boolean {
  const asked = oidc.params?.scope ?? '';
  return typeof asked === 'string' && asked.split(' ').includes(API_SCOPE);
}

/** An OpenID provider (`oidc-provider`) with the tenant's users and an account chooser of ours. */
export async function startIdentityProvider(
  options: IdentityProviderOptions,
): Promise<LocalIdentityProvider> {
  const users = usersOf(options.tenant ?? 'entra', options.users);
  const entries: Entries = new Map();
  const faults = new FaultSwitch();
  // The issuer is the address of this part, which is known only after it listens.
  let handle: (request: IncomingMessage, response: ServerResponse) => Promise<void> = () =>
    Promise.reject(new Error('starting'));
  const serving = await serve((request, response) => handle(request, response), faults, options);
  const start = async (): Promise<void> => {
    const provider = new Provider(
      serving.url,
      await configuration({ ...options, tenant: options.tenant ?? 'entra' }, users, entries),
    );
    provider.on('server_error', (_context, error) => {
      process.stderr.write(`identity provider: ${error.message}\n`);
    });
    const answer = provider.callback();
    handle = async (request, response) => {
      if (urlOf(request).pathname.startsWith('/interaction/'))
        await interact(provider, users, request, response);
      else await answer(request, response);
    };
  };
  await start();
  return {
    url: serving.url,
    users,
    faults,
    close: () => serving.close(),
    reset: async () => {
      faults.clear();
      entries.clear();
      await start();
    },
  };
}

async function configuration(
  { clients, tenant }: IdentityProviderOptions & { readonly tenant: Tenant },
  users: readonly TenantUser[],
  entries: Entries,
): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return {
    adapter: (model) => new MemoryAdapter(model, entries),
    clients: clients.map(({ clientId, clientSecret, redirectUris }) => ({
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [...redirectUris],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    })),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'local' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: ['openid', 'profile', 'email'],
    claims: CLAIM_NAMES[tenant],
    pkce: { required: () => false },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: RESOURCES,
      rpInitiatedLogout: { logoutSource: askToSignOut, postLogoutSuccessSource: signedOut },
    },
    ttl: {
      AccessToken: HOUR_S,
      AuthorizationCode: 60,
      IdToken: HOUR_S,
      Interaction: HOUR_S,
      Session: 8 * HOUR_S,
      Grant: 8 * HOUR_S,
    },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, sub) => {
      const user = users.find((each) => each.sub === sub);
      return user === undefined ? undefined : { accountId: sub, claims: () => claimsOf(tenant, user) };
    },
    // The tenant's administrator has consented for everyone, so no user is asked.
    loadExistingGrant: async (context) => {
      const { client: known, session, provider } = context.oidc;
      if (known === undefined || session?.accountId === undefined) return undefined;
      const grant = new provider.Grant({ clientId: known.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid profile email');
      grant.addResourceScope(API, API_SCOPE);
      await grant.save();
      return grant;
    },
  };
}

async function interact(
  provider: Provider,
  users: readonly TenantUser[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    await provider.interactionDetails(request, response);
  } catch {
    const body = '<h1>This sign-in has expired</h1><p>Go back to the application and start again.</p>';
    sendHtml(response, 400, page({ title: 'Expired', brand: BRAND, body }));
    return;
  }
  if (request.method !== 'POST') {
    sendHtml(response, 200, chooser(users));
    return;
  }
  const username = (await readForm(request)).get('username');
  const user = users.find((each) => each.username === username);
  const result =
    user === undefined
      ? { error: 'access_denied', error_description: 'The user cancelled the sign-in.' }
      : { login: { accountId: user.sub } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

/** @param form the provider's own form, with the id `op.logoutForm` */
function askToSignOut(context: { body: unknown }, form: string): void {
  const body = `<h1>Sign out of your organization?</h1>${form}<button form="op.logoutForm" name="logout" value="yes">Yes, sign out</button>
<p><button class="quiet" form="op.logoutForm">No, stay signed in</button></p>`;
  context.body = page({ title: 'Sign out', brand: BRAND, body });
}

function signedOut(context: { body: unknown }): void {
  const body = '<h1>You are signed out</h1><p>You can close this page.</p>';
  context.body = page({ title: 'Signed out', brand: BRAND, body });
}

function chooser(users: readonly TenantUser[]): string {
  const rows = users.map(
    ({ username, name }) =>
      `<li><button name="username" value="${escapeHtml(username)}">${escapeHtml(name)}<small>${escapeHtml(username)}</small></button></li>`,
  );
  const body = `<h1>Pick an account</h1><p>to continue to OnBehalf. No password is needed on this machine.</p>
<form method="post"><ul class="plain">${rows.join('')}</ul><button class="quiet" name="cancel" value="1">Cancel</button></form>`;
  return page({ title: 'Sign in', brand: BRAND, body });
}
