import {
  AccessDeniedException,
  BedrockAgentCoreClient,
  CompleteResourceTokenAuthCommand,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenCommand,
  GetWorkloadAccessTokenForJWTCommand,
  UnauthorizedException,
  ValidationException,
} from '@aws-sdk/client-bedrock-agentcore';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startAgentCoreIdentity,
  type LocalAgentCoreIdentity,
} from '../../local/agentcore-identity/agentcore-identity.ts';
import { behaviourOf, type Behaviour } from '../../local/agentcore-identity/behaviour.ts';
import type { CredentialProvider } from '../../local/agentcore-identity/oauth-client.ts';
import { startGitHub } from '../../local/github/github.ts';
import { FaultSwitch } from '../../local/lib/faults.ts';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { readForm, sendJson, serve, type Serving } from '../../local/lib/http.ts';
import type { LocalProvider } from '../../local/provider-gate/provider.ts';
import { startIssuer, type TestIssuer } from '../support/issuer.ts';

const RETURN_URL = 'http://localhost:1/oauth2/session-binding';
const CLIENT = { clientId: 'client', clientSecret: 'sec:ret' };

describe('what AWS leaves open at AgentCore Identity', () => {
  let gitHub: LocalProvider;
  let issuer: TestIssuer;
  let identity: LocalAgentCoreIdentity;
  let client: BedrockAgentCoreClient;
  let exchange: Serving;
  let asked: { readonly form: URLSearchParams; readonly authorization: string | undefined }[] = [];

  beforeAll(async () => {
    issuer = await startIssuer();
    const redirectUris: string[] = [];
    gitHub = await startGitHub({ clients: [{ ...CLIENT, name: 'Test', redirectUris }] });
    exchange = await serve(async (request, response) => {
      asked.push({ form: await readForm(request), authorization: request.headers.authorization });
      sendJson(response, 200, { access_token: `token-${String(asked.length)}`, token_type: 'bearer' });
    }, new FaultSwitch());
    const exchanging = {
      callbackId: 'unused',
      ...CLIENT,
      authorizationEndpoint: `${exchange.url}/authorize`,
      tokenEndpoint: `${exchange.url}/token`,
      vendor: 'CustomOauth2',
    } satisfies Partial<CredentialProvider>;
    identity = await startAgentCoreIdentity({
      workloads: [{ name: 'work.load', allowedResourceOauth2ReturnUrls: [RETURN_URL] }],
      credentialProviders: [
        {
          name: 'github',
          callbackId: 'github',
          ...CLIENT,
          authorizationEndpoint: `${gitHub.url}/login/oauth/authorize`,
          tokenEndpoint: `${gitHub.url}/login/oauth/access_token`,
        },
        { ...exchanging, name: 'plain' },
        {
          ...exchanging,
          name: 'exchange',
          clientAuthentication: 'CLIENT_SECRET_BASIC',
          tokenExchange: { grantType: 'TOKEN_EXCHANGE', actorToken: 'M2M', actorTokenScopes: ['act'] },
        },
        { ...exchanging, name: 'assertion', tokenExchange: { grantType: 'JWT_AUTHORIZATION_GRANT' } },
      ],
      trustedIssuers: [issuer],
    });
    redirectUris.push(`${identity.url}/identities/oauth2/callback/github`);
    client = new BedrockAgentCoreClient({
      region: 'eu-central-1',
      endpoint: identity.url,
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'x' },
      maxAttempts: 1,
    });
  });

  afterAll(async () => {
    client.destroy();
    await Promise.all([identity.close(), gitHub.close(), issuer.close(), exchange.close()]);
  });

  beforeEach(async () => {
    asked = [];
    await identity.reset();
  });

  const set = (change: Partial<Behaviour>): void => {
    Object.assign(identity.behaviour, change);
  };

  const workloadToken = async (userToken: string): Promise<string> => {
    const command = new GetWorkloadAccessTokenForJWTCommand({ workloadName: 'work.load', userToken });
    return (await client.send(command)).workloadAccessToken ?? '';
  };

  const ask = async (workloadIdentityToken: string, more: object = {}) =>
    client.send(
      new GetResourceOauth2TokenCommand({
        workloadIdentityToken,
        resourceCredentialProviderName: 'github',
        scopes: ['read:user'],
        oauth2Flow: 'USER_FEDERATION',
        resourceOauth2ReturnUrl: RETURN_URL,
        customState: 'mine',
        ...more,
      }),
    );

  /** Begins a session, and answers at the provider. */
  const answered = async (userToken: string, action = 'authorize') => {
    const token = await workloadToken(userToken);
    const { authorizationUrl = '', sessionUri = '' } = await ask(token);
    const browser = new HttpBrowser();
    const page = await browser.submitAndFollow(await browser.navigate(authorizationUrl), {
      login: 'alice-octo',
    });
    const back = await browser.submitAndFollow(page, { action }, (url) => url.startsWith(RETURN_URL));
    return { token, authorizationUrl, sessionUri, back: new URL(back.url).searchParams };
  };

  const complete = (sessionUri: string, userToken: string) =>
    client.send(new CompleteResourceTokenAuthCommand({ sessionUri, userIdentifier: { userToken } }));

  it.each([
    ['state', 'state'],
    ['customState', 'customState'],
    ['none', undefined],
  ] as const)('gives customState back as %s', async (customStateParameter, name) => {
    set({ customStateParameter });
    const { back } = await answered(await issuer.token('alice'));
    expect([...back.keys()].sort()).toEqual(['session_id', ...(name === undefined ? [] : [name])].sort());
    if (name !== undefined) expect(back.get(name)).toBe('mine');
  });

  it.each([
    ['session_and_error', ['error', 'session_id', 'state']],
    ['error_alone', ['error', 'state']],
    ['session_alone', ['session_id', 'state']],
  ] as const)('comes back from a denial with %s, and the session has failed', async (denial, names) => {
    set({ denial });
    const { token, sessionUri, back } = await answered(await issuer.token('alice'), 'cancel');
    expect([...back.keys()].sort()).toEqual(names);
    expect((await ask(token, { sessionUri })).sessionStatus).toBe('FAILED');
  });

  it('completes with the token that the session began with, and with another one only where that is chosen', async () => {
    const [first, second, other] = await Promise.all(
      ['alice', 'alice', 'bob'].map((sub) => issuer.token(sub)),
    );
    const { sessionUri } = await answered(first ?? '');
    await expect(complete(sessionUri, second ?? '')).rejects.toThrow(AccessDeniedException);
    set({ otherTokenCompletes: true });
    await expect(complete(sessionUri, other ?? '')).rejects.toThrow(AccessDeniedException);
    await complete(sessionUri, second ?? '');
  });

  it('gives a token with fewer scopes only where that is chosen', async () => {
    const userToken = await issuer.token('alice');
    const { token, sessionUri } = await answered(userToken);
    await complete(sessionUri, userToken);
    expect((await ask(token, { scopes: ['repo'] })).accessToken).toBeUndefined();
    set({ fewerScopesSatisfy: true });
    expect((await ask(token, { scopes: ['repo'] })).accessToken).toMatch(/^gho_/);
  });

  it('opens an answered session again only where that is chosen, and starts with the strict answers', async () => {
    const { authorizationUrl } = await answered(await issuer.token('alice'));
    expect((await fetch(authorizationUrl, { redirect: 'manual' })).status).toBe(400);
    set(behaviourOf('lenient'));
    expect((await fetch(authorizationUrl, { redirect: 'manual' })).status).toBe(302);
    await identity.reset();
    expect(identity.behaviour).toEqual(behaviourOf('strict'));
  });

  it("exchanges the user's own token, with the workload's as the actor's (RFC 8693)", async () => {
    const userToken = await issuer.token('alice');
    const token = await workloadToken(userToken);
    const answer = await ask(token, {
      resourceCredentialProviderName: 'exchange',
      oauth2Flow: 'ON_BEHALF_OF_TOKEN_EXCHANGE',
      scopes: ['read', 'write'],
      audiences: ['api-1', 'api-2'],
      resources: ['https://api.example/'],
    });
    expect(answer).toMatchObject({ accessToken: 'token-2' });
    const [actor, exchanged] = asked;
    expect(Object.fromEntries(actor?.form ?? [])).toEqual({ grant_type: 'client_credentials', scope: 'act' });
    expect([...(exchanged?.form ?? [])]).toEqual([
      ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      ['subject_token', userToken],
      ['subject_token_type', 'urn:ietf:params:oauth:token-type:jwt'],
      ['actor_token', 'token-1'],
      ['actor_token_type', 'urn:ietf:params:oauth:token-type:access_token'],
      ['scope', 'read write'],
      ['audience', 'api-1'],
      ['audience', 'api-2'],
      ['resource', 'https://api.example/'],
    ]);
    expect(exchanged?.authorization).toBe(`Basic ${Buffer.from('client:sec%3Aret').toString('base64')}`);
  });

  it("takes the user's own token as an assertion (RFC 7523)", async () => {
    const userToken = await issuer.token('alice');
    const on = {
      oauth2Flow: 'ON_BEHALF_OF_TOKEN_EXCHANGE',
      resourceCredentialProviderName: 'assertion',
      scopes: [],
    };
    expect(await ask(await workloadToken(userToken), on)).toMatchObject({ accessToken: 'token-1' });
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: userToken,
      client_id: 'client',
      client_secret: 'sec:ret',
    });
  });

  it('exchanges nothing without a user token, and not at a provider that is not configured for it', async () => {
    const on = { oauth2Flow: 'ON_BEHALF_OF_TOKEN_EXCHANGE', resourceCredentialProviderName: 'exchange' };
    const command = new GetWorkloadAccessTokenCommand({ workloadName: 'work.load' });
    const { workloadAccessToken = '' } = await client.send(command);
    await expect(ask(workloadAccessToken, on)).rejects.toThrow(UnauthorizedException);
    const token = await workloadToken(await issuer.token('alice'));
    const plain = { ...on, resourceCredentialProviderName: 'plain' };
    await expect(ask(token, plain)).rejects.toThrow(ValidationException);
    expect(asked).toEqual([]);
  });
});
