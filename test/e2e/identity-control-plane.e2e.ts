import {
  BedrockAgentCoreControlClient,
  ConflictException,
  CreateApiKeyCredentialProviderCommand,
  CreateOauth2CredentialProviderCommand,
  CreateWorkloadIdentityCommand,
  DeleteOauth2CredentialProviderCommand,
  DeleteWorkloadIdentityCommand,
  GetOauth2CredentialProviderCommand,
  GetWorkloadIdentityCommand,
  ListOauth2CredentialProvidersCommand,
  ListWorkloadIdentitiesCommand,
  ResourceNotFoundException,
  UpdateOauth2CredentialProviderCommand,
  UpdateWorkloadIdentityCommand,
  ValidationException,
  type Oauth2ProviderConfigInput,
} from '@aws-sdk/client-bedrock-agentcore-control';
import {
  BedrockAgentCoreClient,
  GetResourceApiKeyCommand,
  GetWorkloadAccessTokenCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startAgentCoreIdentity,
  type LocalAgentCoreIdentity,
} from '../../local/agentcore-identity/agentcore-identity.ts';
import { FaultSwitch } from '../../local/lib/faults.ts';
import { sendJson, serve, type Serving } from '../../local/lib/http.ts';

const ENDPOINTS = { authorizationEndpoint: 'http://local/authorize', tokenEndpoint: 'http://local/token' };
const CLIENT = { clientId: 'client', clientSecret: 'secret' };

describe("the control plane of AgentCore Identity's stand-in", () => {
  let identity: LocalAgentCoreIdentity;
  let metadata: Serving;
  let control: BedrockAgentCoreControlClient;
  let data: BedrockAgentCoreClient;

  beforeAll(async () => {
    metadata = await serve((_, response) => {
      sendJson(response, 200, {
        issuer: 'http://local',
        authorization_endpoint: 'http://local/a',
        token_endpoint: 'http://local/t',
      });
    }, new FaultSwitch());
    identity = await startAgentCoreIdentity({
      workloads: [],
      credentialProviders: [],
      vendors: { GoogleOauth2: ENDPOINTS },
    });
    const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'x' };
    const settings = { region: 'eu-central-1', endpoint: identity.url, credentials, maxAttempts: 1 };
    control = new BedrockAgentCoreControlClient(settings);
    data = new BedrockAgentCoreClient(settings);
  });

  afterAll(async () => {
    control.destroy();
    data.destroy();
    await Promise.all([identity.close(), metadata.close()]);
  });

  beforeEach(() => identity.reset());

  const createWorkload = (name: string, allowedResourceOauth2ReturnUrls: string[] = []) =>
    control.send(new CreateWorkloadIdentityCommand({ name, allowedResourceOauth2ReturnUrls }));
  const createProvider = (
    name: string,
    credentialProviderVendor: 'CustomOauth2' | 'GoogleOauth2' | 'SlackOauth2',
    oauth2ProviderConfigInput: Oauth2ProviderConfigInput,
  ) =>
    control.send(
      new CreateOauth2CredentialProviderCommand({
        name,
        credentialProviderVendor,
        oauth2ProviderConfigInput,
      }),
    );

  it('creates, changes, lists and deletes workload identities', async () => {
    await createWorkload('one', ['http://local/return']);
    await expect(createWorkload('one')).rejects.toThrow(ConflictException);
    const get = new GetWorkloadIdentityCommand({ name: 'one' });
    const before = await control.send(get);
    expect(before.allowedResourceOauth2ReturnUrls).toEqual(['http://local/return']);
    expect(Math.abs((before.createdTime?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    await control.send(
      new UpdateWorkloadIdentityCommand({ name: 'one', allowedResourceOauth2ReturnUrls: [] }),
    );
    expect((await control.send(get)).allowedResourceOauth2ReturnUrls).toEqual([]);
    const token = new GetWorkloadAccessTokenCommand({ workloadName: 'one' });
    expect((await data.send(token)).workloadAccessToken).toBeDefined();
    await control.send(new DeleteWorkloadIdentityCommand({ name: 'one' }));
    await expect(control.send(get)).rejects.toThrow(ResourceNotFoundException);
    await expect(data.send(token)).rejects.toThrow(/does not exist/);
  });

  it('lists in pages, each name once', async () => {
    const names = Array.from({ length: 45 }, (_, index) => `workload-${String(100 + index)}`);
    for (const name of [...names].reverse()) await createWorkload(name);
    const listed: string[] = [];
    const sizes: number[] = [];
    let nextToken: string | undefined;
    do {
      const page = await control.send(new ListWorkloadIdentitiesCommand({ maxResults: 20, nextToken }));
      listed.push(...(page.workloadIdentities ?? []).map(({ name = '' }) => name));
      sizes.push(page.workloadIdentities?.length ?? 0);
      ({ nextToken } = page);
    } while (nextToken !== undefined);
    expect(listed).toEqual(names);
    expect(sizes).toEqual([20, 20, 5]);
  });

  it('creates a credential provider from a discovery document, from metadata and from a known vendor', async () => {
    const discoveryUrl = `${metadata.url}/.well-known/openid-configuration`;
    const discovered = await createProvider('discovered', 'CustomOauth2', {
      customOauth2ProviderConfig: { ...CLIENT, oauthDiscovery: { discoveryUrl } },
    });
    expect(discovered.callbackUrl).toMatch(/\/identities\/oauth2\/callback\/[0-9a-f-]{36}$/);
    await createProvider('google', 'GoogleOauth2', { googleOauth2ProviderConfig: CLIENT });
    const shown = await control.send(new GetOauth2CredentialProviderCommand({ name: 'google' }));
    expect(shown.oauth2ProviderConfigOutput?.googleOauth2ProviderConfig).toMatchObject({
      clientId: 'client',
      oauthDiscovery: { authorizationServerMetadata: ENDPOINTS },
    });
    expect(JSON.stringify(shown)).not.toContain('"secret"');
    const { credentialProviders = [] } = await control.send(new ListOauth2CredentialProvidersCommand({}));
    expect(credentialProviders.map(({ name }) => name)).toEqual(['discovered', 'google']);
  });

  it('keeps the callback when a provider changes, and forgets a deleted one', async () => {
    const created = await createProvider('google', 'GoogleOauth2', { googleOauth2ProviderConfig: CLIENT });
    const changed = await control.send(
      new UpdateOauth2CredentialProviderCommand({
        name: 'google',
        credentialProviderVendor: 'GoogleOauth2',
        oauth2ProviderConfigInput: { googleOauth2ProviderConfig: { clientId: 'other', clientSecret: 'x' } },
      }),
    );
    expect(changed.callbackUrl).toBe(created.callbackUrl);
    expect(changed.oauth2ProviderConfigOutput?.googleOauth2ProviderConfig?.clientId).toBe('other');
    await control.send(new DeleteOauth2CredentialProviderCommand({ name: 'google' }));
    const again = new DeleteOauth2CredentialProviderCommand({ name: 'google' });
    await expect(control.send(again)).rejects.toThrow(ResourceNotFoundException);
  });

  it('says what it cannot do', async () => {
    const custom = {
      ...CLIENT,
      oauthDiscovery: { discoveryUrl: 'http://127.0.0.1:9/.well-known/openid-configuration' },
    };
    const cases: readonly (readonly [
      Parameters<typeof createProvider>[1],
      Oauth2ProviderConfigInput,
      RegExp,
    ])[] = [
      ['SlackOauth2', { slackOauth2ProviderConfig: CLIENT }, /knows no endpoints of SlackOauth2/],
      ['SlackOauth2', { googleOauth2ProviderConfig: CLIENT }, /needs slackOauth2ProviderConfig/],
      ['GoogleOauth2', { googleOauth2ProviderConfig: { clientId: 'x' } }, /clientSecret are required/],
      [
        'GoogleOauth2',
        { googleOauth2ProviderConfig: { clientId: 'x', clientSecretSource: 'EXTERNAL' } },
        /no Secrets Manager/,
      ],
      ['CustomOauth2', { customOauth2ProviderConfig: custom }, /could not be read/],
    ];
    for (const [vendor, configuration, why] of cases) {
      const refused = createProvider('refused', vendor, configuration);
      await expect(refused).rejects.toThrow(why);
      await expect(refused).rejects.toThrow(ValidationException);
    }
  });

  it('keeps API keys', async () => {
    await createWorkload('one');
    await control.send(new CreateApiKeyCredentialProviderCommand({ name: 'weather', apiKey: 'key-1' }));
    const { workloadAccessToken } = await data.send(
      new GetWorkloadAccessTokenCommand({ workloadName: 'one' }),
    );
    const command = new GetResourceApiKeyCommand({
      workloadIdentityToken: workloadAccessToken,
      resourceCredentialProviderName: 'weather',
    });
    expect((await data.send(command)).apiKey).toBe('key-1');
  });

  it('answers a body that is too large with an error class', async () => {
    const response = await fetch(`${identity.url}/identities/GetWorkloadAccessToken`, {
      method: 'POST',
      body: 'x'.repeat(600 * 1024),
    });
    expect(response.status).toBe(413);
    expect(response.headers.get('x-amzn-errortype')).toBe('RequestEntityTooLargeException');
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
