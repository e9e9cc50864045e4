import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { redirect, sendHtml, urlOf } from '../lib/http.ts';
import { page } from '../lib/page.ts';
import { callbackUrl, type OperationContext } from './operations.ts';
import type { AuthorizationSession } from './vault.ts';

/** `GET /identities/oauth2/authorize`: redirects to the provider, with the service's own state and PKCE (RFC 7636, S256). */
export function authorize(
  context: OperationContext,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const session = context.vault.session(urlOf(request).searchParams.get('request_uri') ?? '');
  const provider = context.registry.credentialProviders.find((each) => each.name === session?.provider);
  if (!isOpen(context, session) || provider === undefined) {
    refuse(response);
    return;
  }
  const target = new URL(provider.authorizationEndpoint);
  const challenge = createHash('sha256').update(session.codeVerifier).digest('base64url');
  const parameters = {
    ...session.customParameters,
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: callbackUrl(context, provider),
    scope: session.scopes.join(' '),
    state: session.state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  redirect(response, target.href);
}

/**
 * `GET /identities/oauth2/callback/{id}`: stores the code without exchanging it, and redirects the browser to the
 * application.
 */
export function callback(
  context: OperationContext,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname, searchParams } = urlOf(request);
  const [uri, session] = context.vault.sessionByState(searchParams.get('state') ?? '') ?? [];
  const provider = context.registry.credentialProviders.find((each) =>
    pathname.endsWith(`/${each.callbackId}`),
  );
  if (uri === undefined || !isOpen(context, session) || session.provider !== provider?.name) {
    refuse(response);
    return;
  }
  const code = searchParams.get('code');
  const error = searchParams.get('error');
  session.status = code === null ? 'failed' : 'authorized';
  if (code !== null) session.code = code;
  context.vault.save();
  redirect(response, returnUrl(context, uri, session, code === null ? (error ?? 'server_error') : undefined));
}

/** A used session is always closed. A session that the provider has answered is closed unless `sessionsOpenAgain` is set. */
function isOpen(
  context: OperationContext,
  session: AuthorizationSession | undefined,
): session is AuthorizationSession {
  if (session === undefined || session.expiresAt <= context.now() || session.status === 'used') return false;
  return session.status === 'started' || context.behaviour.sessionsOpenAgain;
}

function returnUrl(
  { behaviour: { customStateParameter, denial } }: OperationContext,
  sessionUri: string,
  { returnUrl: registered, customState }: AuthorizationSession,
  error: string | undefined,
): string {
  const target = new URL(registered);
  if (error === undefined || denial !== 'error_alone') target.searchParams.set('session_id', sessionUri);
  if (customState !== undefined && customStateParameter !== 'none')
    target.searchParams.set(customStateParameter, customState);
  if (error !== undefined && denial !== 'session_alone') target.searchParams.set('error', error);
  return target.href;
}

function refuse(response: ServerResponse): void {
  const body =
    '<h1>This authorization link is not valid</h1><p>It has expired or was used already. Ask for a new one.</p>';
  sendHtml(response, 400, page({ title: 'Not valid', brand: 'AgentCore Identity', body }));
}
