import { unauthorized, validation } from './errors.ts';
import type { Members } from './members.ts';
import {
  GrantRefused,
  requestToken,
  type CredentialProvider,
  type TokenExchange,
  type TokenParameters,
} from './oauth-client.ts';
import type { WorkloadToken } from './vault.ts';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** What a request for a token without a consent asks for. */
interface Request {
  readonly provider: CredentialProvider;
  readonly members: Members;
  readonly now: number;
}

/** The workload's own token (RFC 6749 §4.4). */
export async function machineToken(request: Request): Promise<object> {
  return { accessToken: await clientCredentials(request, request.members.texts('scopes')) };
}

/** The provider's token for the user whose token the workload access token was made with. No consent is asked for. */
export async function exchangedToken(request: Request, token: WorkloadToken): Promise<object> {
  const { tokenExchange } = request.provider;
  if (tokenExchange === undefined)
    throw validation(`${request.provider.name} is not configured for an exchange of tokens`);
  if (token.userToken === undefined)
    throw unauthorized(
      'ON_BEHALF_OF_TOKEN_EXCHANGE needs a workload access token that was made with a user token',
    );
  const scopes = request.members.texts('scopes');
  const parameters: TokenParameters = [
    ...(await grantParameters(request, tokenExchange, token.userToken)),
    ...(scopes.length > 0 ? [['scope', scopes.join(' ')] as const] : []),
    ...request.members.texts('audiences').map((audience) => ['audience', audience] as const),
    ...request.members.texts('resources').map((resource) => ['resource', resource] as const),
    ...Object.entries(request.members.textMap('customParameters')),
  ];
  return { accessToken: await askFor(request, parameters, scopes) };
}

async function grantParameters(
  request: Request,
  { grantType, actorToken, actorTokenScopes = [] }: TokenExchange,
  userToken: string,
): Promise<TokenParameters> {
  if (grantType === 'JWT_AUTHORIZATION_GRANT') {
    return [
      ['grant_type', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      ['assertion', userToken],
    ];
  }
  const actor = actorToken === 'M2M' ? await clientCredentials(request, actorTokenScopes) : undefined;
  return [
    ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    ['subject_token', userToken],
    ['subject_token_type', JWT],
    ...(actor === undefined
      ? []
      : [
          ['actor_token', actor] as const,
          ['actor_token_type', 'urn:ietf:params:oauth:token-type:access_token'] as const,
        ]),
  ];
}

function clientCredentials(request: Request, scopes: readonly string[]): Promise<string> {
  const parameters: TokenParameters = [
    ['grant_type', 'client_credentials'],
    ['scope', scopes.join(' ')],
  ];
  return askFor(request, parameters, scopes);
}

async function askFor(
  { provider, now }: Request,
  parameters: TokenParameters,
  scopes: readonly string[],
): Promise<string> {
  try {
    return (await requestToken(provider, parameters, scopes, now)).accessToken;
  } catch (error) {
    if (error instanceof GrantRefused) throw validation(`The credential provider refused: ${error.message}`);
    throw error;
  }
}
