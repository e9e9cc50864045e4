import { createHash, randomBytes } from 'node:crypto';
import type { Behaviour } from './behaviour.ts';
import { internal, invalidSession, notFound, ServiceError, unauthorized, validation } from './errors.ts';
import { exchangedToken, machineToken } from './machine-tokens.ts';
import type { Members } from './members.ts';
import { GrantRefused, requestToken, type CredentialProvider, type Grant } from './oauth-client.ts';
import { find, type Registry } from './registry.ts';
import type { UserTokens } from './user-tokens.ts';
import { vaultKey, type AuthorizationSession, type Vault, type WorkloadToken } from './vault.ts';

export interface OperationContext {
  readonly behaviour: Behaviour;
  readonly url: () => string;
  readonly now: () => number;
  readonly vault: Vault;
  readonly userTokens: UserTokens;
  readonly registry: Registry;
}

export type Operation<Context extends OperationContext = OperationContext> = (
  context: Context,
  members: Members,
) => Promise<object> | object;
type UserIdentity = NonNullable<WorkloadToken['user']>;

export const SESSION_LIFETIME_MS = 10 * 60_000;
const WORKLOAD_TOKEN_LIFETIME_MS = 15 * 60_000;
const REFRESH_BEFORE_MS = 60_000;

/** The operations of the data plane. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  GetWorkloadAccessToken: (context, members) => issue(context, members),
  GetWorkloadAccessTokenForUserId: issueForUserId,
  GetWorkloadAccessTokenForJWT: issueForJwt,
  GetResourceOauth2Token: getResourceOauth2Token,
  GetResourceApiKey: getResourceApiKey,
  CompleteResourceTokenAuth: completeResourceTokenAuth,
};

function issueForUserId(context: OperationContext, members: Members): object {
  return issue(context, members, { user: userById(members.text('userId')) });
}

async function issueForJwt(context: OperationContext, members: Members): Promise<object> {
  const userToken = members.text('userToken');
  return issue(context, members, { user: await userByToken(context, userToken), userToken });
}

function issue(
  context: OperationContext,
  members: Members,
  forUser: Pick<WorkloadToken, 'user' | 'userToken'> = {},
): object {
  const workload = members.text('workloadName');
  find(context.registry.workloads, workload, 'Workload identity');
  const workloadAccessToken = randomBytes(48).toString('base64url');
  const expiresAt = context.now() + WORKLOAD_TOKEN_LIFETIME_MS;
  context.vault.putWorkloadToken(workloadAccessToken, {
    workload,
    expiresAt,
    ...forUser,
  });
  return { workloadAccessToken };
}

function userById(userId: string): UserIdentity {
  return { key: `id:${userId}`, artifact: `userId:${userId}` };
}

/** The service compares the token itself, not its claims, so another token of the same person does not match. */
async function userByToken(context: OperationContext, token: string): Promise<UserIdentity> {
  const digest = createHash('sha256').update(token).digest('hex');
  return { key: `jwt:${await context.userTokens.userKey(token)}`, artifact: `userToken:${digest}` };
}

function workloadOf(context: OperationContext, members: Members): WorkloadToken {
  const token = context.vault.workloadToken(members.text('workloadIdentityToken'));
  if (token === undefined || token.expiresAt <= context.now()) {
    throw unauthorized('The workload identity token is invalid or has expired');
  }
  return token;
}

function getResourceApiKey(context: OperationContext, members: Members): object {
  workloadOf(context, members);
  const name = members.text('resourceCredentialProviderName');
  return { apiKey: find(context.registry.apiKeys, name, 'Credential provider').apiKey };
}

async function getResourceOauth2Token(context: OperationContext, members: Members): Promise<object> {
  const token = workloadOf(context, members);
  const name = members.text('resourceCredentialProviderName');
  const provider = find(context.registry.credentialProviders, name, 'Credential provider');
  const scopes = members.texts('scopes');
  const flow = members.text('oauth2Flow');
  const request = { provider, members, now: context.now() };
  if (flow === 'M2M') return machineToken(request);
  if (flow === 'ON_BEHALF_OF_TOKEN_EXCHANGE') return exchangedToken(request, token);
  if (token.user === undefined) throw validation('USER_FEDERATION needs a workload access token of a user');
  const federation = federationRequest(context, members, token, token.user, provider, scopes);
  const polled = members.optionalText('sessionUri');
  if (polled !== undefined) return poll(context, federation, polled);
  if (!members.flag('forceAuthentication')) {
    const accessToken = await storedToken(context, federation);
    if (accessToken !== undefined) return { accessToken };
  }
  return startSession(context, federation);
}

type FederationRequest = Pick<
  AuthorizationSession,
  'workload' | 'user' | 'provider' | 'scopes' | 'returnUrl' | 'customState' | 'customParameters'
> & { readonly credentialProvider: CredentialProvider };

function federationRequest(
  context: OperationContext,
  members: Members,
  token: WorkloadToken,
  user: UserIdentity,
  credentialProvider: CredentialProvider,
  scopes: readonly string[],
): FederationRequest {
  const returnUrl = members.optionalText('resourceOauth2ReturnUrl');
  const workload = context.registry.workloads.find((each) => each.name === token.workload);
  if (returnUrl === undefined || !workload?.allowedResourceOauth2ReturnUrls.includes(returnUrl)) {
    throw validation(
      'You must register and use at least one ResourceOauth2ReturnUrl with this workload identity',
      'resourceOauth2ReturnUrl',
    );
  }
  const customState = members.optionalText('customState');
  return {
    workload: token.workload,
    user,
    provider: credentialProvider.name,
    credentialProvider,
    scopes,
    returnUrl,
    customParameters: members.textMap('customParameters'),
    ...(customState !== undefined && { customState }),
  };
}

/** A token from the vault, refreshed when it is about to expire; undefined when the user must be asked. */
async function storedToken(
  context: OperationContext,
  request: FederationRequest,
): Promise<string | undefined> {
  const key = vaultKey(request.workload, request.user.key, request.provider);
  const grant = context.vault.grantFor(key, request.scopes, context.behaviour.fewerScopesSatisfy);
  if (grant === undefined) return undefined;
  if (grant.expiresAt === undefined || grant.expiresAt - REFRESH_BEFORE_MS > context.now())
    return grant.accessToken;
  context.vault.dropGrant(key, grant);
  if (grant.refreshToken === undefined) return undefined;
  const refreshed = await refresh(context, request.credentialProvider, grant, grant.refreshToken);
  if (refreshed === undefined) return undefined;
  context.vault.putGrant(key, refreshed);
  return refreshed.accessToken;
}

async function refresh(
  context: OperationContext,
  provider: CredentialProvider,
  grant: Grant,
  refreshToken: string,
): Promise<Grant | undefined> {
  const parameters = Object.entries({ grant_type: 'refresh_token', refresh_token: refreshToken });
  try {
    return await requestToken(provider, parameters, grant.scopes, context.now());
  } catch (error) {
    if (error instanceof GrantRefused) return undefined;
    throw error;
  }
}

function startSession(context: OperationContext, request: FederationRequest): object {
  const { credentialProvider: _, ...rest } = request;
  const sessionUri = `urn:ietf:params:oauth:request_uri:${randomBytes(32).toString('base64url')}`;
  context.vault.putSession(sessionUri, {
    ...rest,
    state: randomBytes(24).toString('base64url'),
    codeVerifier: randomBytes(48).toString('base64url'),
    expiresAt: context.now() + SESSION_LIFETIME_MS,
    status: 'started',
  });
  return {
    authorizationUrl: authorizationUrl(context, sessionUri),
    sessionUri,
    sessionStatus: 'IN_PROGRESS',
  };
}

function authorizationUrl(context: OperationContext, sessionUri: string): string {
  return `${context.url()}/identities/oauth2/authorize?request_uri=${encodeURIComponent(sessionUri)}`;
}

async function poll(
  context: OperationContext,
  request: FederationRequest,
  sessionUri: string,
): Promise<object> {
  const session = context.vault.session(sessionUri);
  if (session?.user.key !== request.user.key) throw invalidSession();
  if (session.status === 'failed') return { sessionUri, sessionStatus: 'FAILED' };
  if (session.status === 'used') {
    const accessToken = await storedToken(context, request);
    return accessToken === undefined ? { sessionUri, sessionStatus: 'FAILED' } : { accessToken };
  }
  if (session.expiresAt <= context.now()) throw invalidSession();
  return {
    authorizationUrl: authorizationUrl(context, sessionUri),
    sessionUri,
    sessionStatus: 'IN_PROGRESS',
  };
}

/** The session is marked as used before the code is exchanged, so that two parallel calls cannot both succeed. */
async function completeResourceTokenAuth(context: OperationContext, members: Members): Promise<object> {
  const sessionUri = members.text('sessionUri');
  const [kind, value] = members.union('userIdentifier');
  const user = kind === 'userId' ? userById(String(value)) : await userByToken(context, String(value));
  const session = context.vault.session(sessionUri);
  if (session?.status !== 'authorized' || session.code === undefined || session.expiresAt <= context.now()) {
    throw invalidSession();
  }
  if (!isSameUser(context, session.user, user)) throw invalidSession();
  session.status = 'used';
  context.vault.save();
  try {
    await exchangeCode(context, session, session.code);
  } catch (error) {
    session.status = 'failed';
    context.vault.save();
    throw error instanceof ServiceError ? error : internal('The authorization code could not be exchanged');
  }
  return {};
}

function isSameUser({ behaviour }: OperationContext, began: UserIdentity, completes: UserIdentity): boolean {
  return (
    began.artifact === completes.artifact || (behaviour.otherTokenCompletes && began.key === completes.key)
  );
}

async function exchangeCode(
  context: OperationContext,
  session: AuthorizationSession,
  code: string,
): Promise<void> {
  const provider = context.registry.credentialProviders.find((each) => each.name === session.provider);
  if (provider === undefined) throw notFound('The credential provider does not exist any more');
  const parameters = Object.entries({
    grant_type: 'authorization_code',
    code,
    redirect_uri: callbackUrl(context, provider),
    code_verifier: session.codeVerifier,
  });
  const grant = await requestToken(provider, parameters, session.scopes, context.now());
  context.vault.putGrant(vaultKey(session.workload, session.user.key, session.provider), grant);
}

export function callbackUrl(context: Pick<OperationContext, 'url'>, provider: CredentialProvider): string {
  return `${context.url()}/identities/oauth2/callback/${provider.callbackId}`;
}
