import {
  AccessDeniedException,
  BedrockAgentCoreClient,
  CompleteResourceTokenAuthCommand,
  GetResourceApiKeyCommand,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenCommand,
  GetWorkloadAccessTokenForJWTCommand,
  GetWorkloadAccessTokenForUserIdCommand,
  InternalServerException,
  ResourceNotFoundException,
  ThrottlingException,
  UnauthorizedException,
  ValidationException,
  type GetResourceOauth2TokenCommandInput,
} from '@aws-sdk/client-bedrock-agentcore';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startAgentCoreIdentity,
  type LocalAgentCoreIdentity,
} from '../../local/agentcore-identity/agentcore-identity.ts';
import { startGitHub } from '../../local/github/github.ts';
import type { LocalProvider } from '../../local/provider-gate/provider.ts';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { startIssuer, type TestIssuer } from '../support/issuer.ts';

const RETURN_URL = 'http://localhost:1/oauth2/session-binding';
const CALLBACK_ID = '00000000-0000-4000-8000-000000000001';
const CREDENTIALS = { accessKeyId: 'AKIATEST', secretAccessKey: 'x' };

describe("AgentCore Identity's stand-in, by the unmodified AWS SDK", () => {
  let gitHub: LocalProvider;
  let issuer: TestIssuer;
  let identity: LocalAgentCoreIdentity;
  let client: BedrockAgentCoreClient;
  let offsetMs = 0;

  beforeAll(async () => {
    issuer = await startIssuer();
    const redirectUris: string[] = [];
    const clientId = { clientId: 'client', clientSecret: 'secret' };
    const now = (): number => Date.now() + offsetMs;
    gitHub = await startGitHub({ clients: [{ ...clientId, name: 'Test', redirectUris }], now });
    identity = await startAgentCoreIdentity({
      now,
      workloads: [{ name: 'workload', allowedResourceOauth2ReturnUrls: [RETURN_URL] }],
      credentialProviders: [
        {
          name: 'github',
          callbackId: CALLBACK_ID,
          ...clientId,
          authorizationEndpoint: `${gitHub.url}/login/oauth/authorize`,
          tokenEndpoint: `${gitHub.url}/login/oauth/access_token`,
        },
      ],
      apiKeys: { weather: 'api-key' },
      trustedIssuers: [issuer],
      policies: { AKIAFETCH: ['GetWorkloadAccessTokenForUserId'] },
    });
    redirectUris.push(`${identity.url}/identities/oauth2/callback/${CALLBACK_ID}`);
    client = clientWith(CREDENTIALS);
  });

  afterAll(async () => {
    client.destroy();
    await issuer.close();
    await Promise.all([identity.close(), gitHub.close()]);
  });

  beforeEach(async () => {
    offsetMs = 0;
    await identity.reset();
  });

  const clientWith = (credentials: typeof CREDENTIALS): BedrockAgentCoreClient =>
    new BedrockAgentCoreClient({
      region: 'eu-central-1',
      endpoint: identity.url,
      credentials,
      maxAttempts: 1,
    });

  const workloadToken = async (userId = 'alice'): Promise<string> => {
    const command = new GetWorkloadAccessTokenForUserIdCommand({ workloadName: 'workload', userId });
    return (await client.send(command)).workloadAccessToken ?? '';
  };

  const tokenCommand = (
    workloadIdentityToken: string,
    more: Partial<GetResourceOauth2TokenCommandInput> = {},
  ) =>
    new GetResourceOauth2TokenCommand({
      workloadIdentityToken,
      resourceCredentialProviderName: 'github',
      scopes: ['read:user'],
      oauth2Flow: 'USER_FEDERATION',
      resourceOauth2ReturnUrl: RETURN_URL,
      ...more,
    });

  const complete = (sessionUri: string, userIdentifier: { userId: string } | { userToken: string }) =>
    client.send(new CompleteResourceTokenAuthCommand({ sessionUri, userIdentifier }));

  /** Consents at GitHub, and returns the address that the service redirects the browser to. */
  const consent = async (authorizationUrl: string, action = 'authorize'): Promise<URL> => {
    const browser = new HttpBrowser();
    const page = await browser.submitAndFollow(await browser.navigate(authorizationUrl), {
      login: 'alice-octo',
    });
    const back = await browser.submitAndFollow(page, { action }, (url) => url.startsWith(RETURN_URL));
    return new URL(back.url);
  };

  it('gives a token only to the user who completed the session', async () => {
    const token = await workloadToken();
    const asked = await client.send(tokenCommand(token, { customState: 'my-state' }));
    expect(asked).toMatchObject({ sessionStatus: 'IN_PROGRESS' });
    expect(asked.accessToken).toBeUndefined();
    const sessionUri = asked.sessionUri ?? '';
    const back = await consent(asked.authorizationUrl ?? '');
    expect(back.searchParams.get('session_id')).toEqual(sessionUri);
    expect(back.searchParams.get('state')).toBe('my-state');
    expect(gitHub.grants.exchanges).toEqual([]);
    expect((await client.send(tokenCommand(token, { sessionUri }))).sessionStatus).toBe('IN_PROGRESS');

    await expect(complete(sessionUri, { userId: 'bob' })).rejects.toThrow(AccessDeniedException);
    await complete(sessionUri, { userId: 'alice' });
    await expect(complete(sessionUri, { userId: 'alice' })).rejects.toThrow('Invalid or expired session');
    expect((await client.send(tokenCommand(token))).accessToken).toMatch(/^gho_/);
    expect((await client.send(tokenCommand(token, { sessionUri }))).accessToken).toMatch(/^gho_/);
    expect((await client.send(tokenCommand(await workloadToken('bob')))).accessToken).toBeUndefined();
    expect((await client.send(tokenCommand(token, { scopes: ['repo'] }))).accessToken).toBeUndefined();
    expect(
      (await client.send(tokenCommand(token, { forceAuthentication: true }))).accessToken,
    ).toBeUndefined();
    await gitHub.reset();
  });

  it('deletes a session after ten minutes, and refuses to complete a session that was not authorized', async () => {
    const asked = await client.send(tokenCommand(await workloadToken()));
    await expect(complete(asked.sessionUri ?? '', { userId: 'alice' })).rejects.toThrow(
      AccessDeniedException,
    );
    await consent(asked.authorizationUrl ?? '');
    offsetMs = 10 * 60_000;
    await expect(complete(asked.sessionUri ?? '', { userId: 'alice' })).rejects.toThrow(
      AccessDeniedException,
    );
  });

  it('reports a session that the user denied as FAILED', async () => {
    const token = await workloadToken();
    const asked = await client.send(tokenCommand(token));
    const back = await consent(asked.authorizationUrl ?? '', 'cancel');
    expect(back.searchParams.get('error')).toBe('access_denied');
    const polled = await client.send(tokenCommand(token, { sessionUri: asked.sessionUri }));
    expect(polled.sessionStatus).toBe('FAILED');
  });

  it("accepts a user's JWT, and then requires the same token for completion", async () => {
    const jwt = await issuer.token('alice');
    const command = new GetWorkloadAccessTokenForJWTCommand({ workloadName: 'workload', userToken: jwt });
    const { workloadAccessToken = '' } = await client.send(command);
    const asked = await client.send(tokenCommand(workloadAccessToken));
    await consent(asked.authorizationUrl ?? '');
    const sessionUri = asked.sessionUri ?? '';
    await expect(complete(sessionUri, { userId: 'alice' })).rejects.toThrow(AccessDeniedException);
    await expect(complete(sessionUri, { userToken: await issuer.token('alice') })).rejects.toThrow(
      AccessDeniedException,
    );
    await complete(sessionUri, { userToken: jwt });
    expect((await client.send(tokenCommand(workloadAccessToken))).accessToken).toMatch(/^gho_/);
  });

  it('answers with the error classes of the SDK', async () => {
    const token = await workloadToken();
    const jwt = (value: string) =>
      client.send(new GetWorkloadAccessTokenForJWTCommand({ workloadName: 'workload', userToken: value }));
    await expect(jwt('no.jwt.atall')).rejects.toThrow(UnauthorizedException);
    await expect(jwt(await issuer.token('alice', 'another'))).rejects.toThrow(UnauthorizedException);
    await expect(jwt(await issuer.token('alice'))).resolves.toBeDefined();
    await expect(client.send(new GetWorkloadAccessTokenCommand({ workloadName: 'none' }))).rejects.toThrow(
      ResourceNotFoundException,
    );
    await expect(client.send(tokenCommand('unknown'))).rejects.toThrow(UnauthorizedException);
    await expect(
      client.send(tokenCommand(token, { resourceCredentialProviderName: 'none' })),
    ).rejects.toThrow(ResourceNotFoundException);
    await expect(
      client.send(tokenCommand(token, { resourceOauth2ReturnUrl: 'https://evil.example' })),
    ).rejects.toThrow(/register and use at least one/);
    await expect(client.send(tokenCommand(token, { resourceOauth2ReturnUrl: undefined }))).rejects.toThrow(
      ValidationException,
    );
    await expect(complete('not-a-urn', { userId: 'alice' })).rejects.toThrow(ValidationException);
    const both = { userId: 'a', userToken: 'b' } as unknown as { userId: string };
    await expect(complete('urn:ietf:params:oauth:request_uri:x', both)).rejects.toThrow(ValidationException);
    identity.faults.plan(
      /oauth2\/token/,
      {
        kind: 'answer',
        status: 429,
        headers: { 'x-amzn-errortype': 'ThrottlingException' },
        body: '{"message":"slow down"}',
      },
      1,
    );
    await expect(client.send(tokenCommand(token))).rejects.toThrow(ThrottlingException);
    gitHub.faults.plan(/access_token/, { kind: 'reset' }, 1);
    const asked = await client.send(tokenCommand(token));
    await consent(asked.authorizationUrl ?? '');
    await expect(complete(asked.sessionUri ?? '', { userId: 'alice' })).rejects.toThrow(
      InternalServerException,
    );
  });

  it('expires workload access tokens, and returns tokens and API keys for the workload itself', async () => {
    const command = new GetWorkloadAccessTokenCommand({ workloadName: 'workload' });
    const { workloadAccessToken = '' } = await client.send(command);
    const apiKey = new GetResourceApiKeyCommand({
      workloadIdentityToken: workloadAccessToken,
      resourceCredentialProviderName: 'weather',
    });
    expect((await client.send(apiKey)).apiKey).toBe('api-key');
    await expect(client.send(tokenCommand(workloadAccessToken))).rejects.toThrow(ValidationException);
    identity.vault.expireWorkloadTokens();
    await expect(client.send(apiKey)).rejects.toThrow(UnauthorizedException);
  });

  it('allows a role only the operations of its policy', async () => {
    const fetching = clientWith({ accessKeyId: 'AKIAFETCH', secretAccessKey: 'x' });
    await fetching.send(
      new GetWorkloadAccessTokenForUserIdCommand({ workloadName: 'workload', userId: 'a' }),
    );
    const command = new GetWorkloadAccessTokenCommand({ workloadName: 'workload' });
    await expect(fetching.send(command)).rejects.toThrow(/not authorized to perform/);
    fetching.destroy();
  });

  it('answers any client that sends signed JSON', async () => {
    const post = (path: string, body: string, headers: HeadersInit = {}): Promise<Response> =>
      fetch(identity.url + path, { method: 'POST', headers, body });
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIAOTHER/20260101/eu-central-1/bedrock-agentcore/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;
    const signed = { authorization, 'x-amz-date': '20260101T000000Z', 'content-type': 'application/json' };
    const path = '/identities/GetWorkloadAccessTokenForUserId';
    const good = await post(path, '{"workloadName":"workload","userId":"a"}', signed);
    expect(good.status).toBe(200);
    expect(Object.keys((await good.json()) as object)).toEqual(['workloadAccessToken']);
    const unsigned = await post(path, '{"workloadName":"workload","userId":"a"}');
    expect(unsigned.status).toBe(403);
    expect(unsigned.headers.get('x-amzn-errortype')).toBe('MissingAuthenticationTokenException');
    const malformed = await post(path, '{', signed);
    expect(malformed.status).toBe(400);
    expect(malformed.headers.get('x-amzn-errortype')).toBe('ValidationException');
    expect((await post('/identities/other', '{}', signed)).status).toBe(404);
  });
});
