import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { type Configuration } from 'oidc-provider';
import { FaultSwitch } from '../lib/faults.ts';
import { readForm, sendHtml, serve, urlOf } from '../lib/http.ts';
import { escapeHtml, page } from '../lib/page.ts';
import type { Listen, Part } from '../lib/part.ts';
import { MemoryAdapter } from './memory-adapter.ts';
import { claimsOf, USERS } from './users.ts';

export interface IdentityProviderOptions extends Listen {
  readonly client: { readonly clientId: string; readonly clientSecret: string; readonly redirectUri: string };
}

const BRAND = 'Example Tenant (local)';
const HOUR_S = 3600;

/** An OpenID provider (`oidc-provider`) with the tenant's users and an account chooser of ours. */
export async function startIdentityProvider(options: IdentityProviderOptions): Promise<Part> {
  const faults = new FaultSwitch();
  // The issuer is the address of this part, which is known only after it listens.
  let handle: (request: IncomingMessage, response: ServerResponse) => Promise<void> = () =>
    Promise.reject(new Error('starting'));
  const serving = await serve((request, response) => handle(request, response), faults, options);
  const start = async (): Promise<void> => {
    const provider = new Provider(serving.url, await configuration(options));
    provider.on('server_error', (_context, error) => {
      process.stderr.write(`identity provider: ${error.message}\n`);
    });
    const answer = provider.callback();
    handle = async (request, response) => {
      if (urlOf(request).pathname.startsWith('/interaction/')) await interact(provider, request, response);
      else await answer(request, response);
    };
  };
  await start();
  return {
    url: serving.url,
    faults,
    close: () => serving.close(),
    reset: async () => {
      faults.clear();
      MemoryAdapter.clear();
      await start();
    },
  };
}

async function configuration({ client }: IdentityProviderOptions): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return {
    adapter: MemoryAdapter,
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [client.redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'local' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: ['openid', 'profile', 'email'],
    claims: { openid: ['sub', 'oid', 'tid'], profile: ['name', 'preferred_username'], email: ['email'] },
    pkce: { required: () => false },
    features: {
      devInteractions: { enabled: false },
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
      const user = USERS.find((each) => each.sub === sub);
      return user === undefined ? undefined : { accountId: sub, claims: () => claimsOf(user) };
    },
    // The tenant's administrator has consented for everyone, so no user is asked.
    loadExistingGrant: async (context) => {
      const { client: known, session, provider } = context.oidc;
      if (known === undefined || session?.accountId === undefined) return undefined;
      const grant = new provider.Grant({ clientId: known.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  };
}

async function interact(
  provider: Provider,
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
    sendHtml(response, 200, chooser());
    return;
  }
  const username = (await readForm(request)).get('username');
  const user = USERS.find((each) => each.username === username);
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

function chooser(): string {
  const rows = USERS.map(
    ({ username, name }) =>
      `<li><button name="username" value="${escapeHtml(username)}">${escapeHtml(name)}<small>${escapeHtml(username)}</small></button></li>`,
  );
  const body = `<h1>Pick an account</h1><p>to continue to OnBehalf. No password is needed on this machine.</p>
<form method="post"><ul class="plain">${rows.join('')}</ul><button class="quiet" name="cancel" value="1">Cancel</button></form>`;
  return page({ title: 'Sign in', brand: BRAND, body });
}
