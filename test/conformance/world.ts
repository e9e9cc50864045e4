import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  startAgentCoreIdentity,
  type LocalAgentCoreIdentity,
} from '../../local/agentcore-identity/agentcore-identity.ts';
import { startBedrock } from '../../local/bedrock/bedrock.ts';
import { FaultSwitch } from '../../local/lib/faults.ts';
import { sendJson, serve, type Serving } from '../../local/lib/http.ts';
import type { Part } from '../../local/lib/part.ts';
import type { ConformanceCase } from './cases.ts';

type Input = ConformanceCase['input'];

/** A stand-in, and what an operation can be asked so that there is something to answer. */
export interface ConformanceWorld {
  readonly part: Pick<Part, 'url' | 'faults'>;
  given(operation: string): Promise<Input>;
  close(): Promise<void>;
}

const RETURN_URL = 'x:a';
const SESSION_URI = 'urn:ietf:params:oauth:request_uri:conformance';
const HOUR = 3_600_000;

/** AgentCore Identity with a workload, a credential provider of each kind, and an issuer that it trusts. */
export async function agentCoreIdentityWorld(): Promise<ConformanceWorld> {
  const { server, userToken } = await startAuthorizationServer();
  const part = await startAgentCoreIdentity({
    workloads: [{ name: 'workload', allowedResourceOauth2ReturnUrls: [RETURN_URL] }],
    credentialProviders: [
      {
        name: 'provider',
        callbackId: 'callback',
        clientId: 'client',
        clientSecret: 'secret',
        authorizationEndpoint: `${server.url}/authorize`,
        tokenEndpoint: `${server.url}/token`,
        tokenExchange: { grantType: 'TOKEN_EXCHANGE' },
      },
    ],
    apiKeys: { provider: 'key' },
    trustedIssuers: [{ issuer: server.url, jwksUri: `${server.url}/keys`, audience: 'workload' }],
  });
  return {
    part,
    given: async (operation) => {
      await part.reset();
      putFixtures(part, userToken);
      return Promise.resolve(identityInput(operation, { userToken, url: server.url }));
    },
    close: async () => {
      await part.close();
      await server.close();
    },
  };
}

/** A workload access token of a user, and a session that waits to be completed. */
function putFixtures({ vault }: LocalAgentCoreIdentity, userToken: string): void {
  const user = { key: 'id:alice', artifact: 'userId:a' };
  const expiresAt = Date.now() + HOUR;
  vault.putWorkloadToken('workload-token', { workload: 'workload', user, userToken, expiresAt });
  vault.putSession(SESSION_URI, {
    workload: 'workload',
    user,
    provider: 'provider',
    scopes: [],
    returnUrl: RETURN_URL,
    customParameters: {},
    state: 'state',
    codeVerifier: 'verifier',
    expiresAt,
    status: 'authorized',
    code: 'code',
  });
}

function identityInput(
  operation: string,
  { userToken, url }: { readonly userToken: string; readonly url: string },
): Input {
  if (operation === 'GetWorkloadAccessTokenForJWT') return { workloadName: 'workload', userToken };
  if (operation.startsWith('GetWorkloadAccessToken')) return { workloadName: 'workload' };
  if (operation === 'CompleteResourceTokenAuth')
    return { sessionUri: SESSION_URI, userIdentifier: { userId: 'a' } };
  if (operation.startsWith('GetResource')) {
    const named = { workloadIdentityToken: 'workload-token', resourceCredentialProviderName: 'provider' };
    return operation === 'GetResourceApiKey' ? named : { ...named, resourceOauth2ReturnUrl: RETURN_URL };
  }
  if (operation.startsWith('List') || operation === 'GetTokenVault') return {};
  if (operation === 'CreateWorkloadIdentity') return { name: 'another' };
  if (operation === 'CreateApiKeyCredentialProvider') return { name: 'another', apiKey: 'key' };
  if (operation === 'CreateOauth2CredentialProvider') return { name: 'another', ...customProvider(url) };
  if (operation === 'UpdateOauth2CredentialProvider') return { name: 'provider', ...customProvider(url) };
  return { name: operation.endsWith('WorkloadIdentity') ? 'workload' : 'provider' };
}

function customProvider(url: string): Input {
  const authorizationServerMetadata = {
    issuer: url,
    authorizationEndpoint: `${url}/authorize`,
    tokenEndpoint: `${url}/token`,
  };
  return {
    credentialProviderVendor: 'CustomOauth2',
    oauth2ProviderConfigInput: {
      customOauth2ProviderConfig: {
        oauthDiscovery: { authorizationServerMetadata },
        clientId: 'client',
        clientSecret: 'secret',
        onBehalfOfTokenExchangeConfig: {
          grantType: 'TOKEN_EXCHANGE',
          tokenExchangeGrantTypeConfig: { actorTokenContent: 'M2M', actorTokenScopes: ['act'] },
        },
      },
    },
  };
}

/** An authorization server that gives a token to everybody, with the keys of one user's token. */
async function startAuthorizationServer(): Promise<{ readonly server: Serving; readonly userToken: string }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'key' }];
  const server = await serve((request, response) => {
    request.resume();
    sendJson(
      response,
      200,
      request.url === '/keys' ? { keys } : { access_token: 'token', token_type: 'bearer' },
    );
  }, new FaultSwitch());
  const userToken = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: 'key' })
    .setIssuer(server.url)
    .setAudience('workload')
    .setSubject('alice')
    .setExpirationTime('1h')
    .sign(privateKey);
  return { server, userToken };
}

/** Bedrock, with a message that it can answer. */
export async function bedrockWorld(): Promise<ConformanceWorld> {
  const part = await startBedrock();
  const messages = [{ role: 'user', content: [{ text: 'hello' }] }];
  return {
    part,
    given: (operation) =>
      Promise.resolve(operation === 'CountTokens' ? { input: { converse: { messages } } } : { messages }),
    close: () => part.close(),
  };
}
