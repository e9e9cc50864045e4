import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { GITHUB_PROVIDER } from '../../local/stack.ts';
import { connectUrlOf, World } from '../../test/support/world.ts';
import { createDeployment } from '../lib/app.ts';
import { exampleDeployment } from './support.ts';

interface Provider {
  readonly Properties: {
    readonly CredentialProviderVendor: string;
    readonly Oauth2ProviderConfigInput: {
      readonly CustomOauth2ProviderConfig: {
        readonly OauthDiscovery: {
          readonly AuthorizationServerMetadata: Readonly<
            Record<'Issuer' | 'AuthorizationEndpoint' | 'TokenEndpoint', string>
          >;
        };
      };
    };
  };
}

/** The credential provider that a deployment registers for a GitHub Enterprise Server. */
function providerFor(apiBase: string): Provider['Properties'] {
  const given = exampleDeployment({
    providers: [{ id: 'github', clientId: 'x', clientSecretName: 'x', apiBase }],
  });
  const { identity } = createDeployment(given, { analyticsReporting: false });
  const found = Template.fromStack(identity).findResources('AWS::BedrockAgentCore::OAuth2CredentialProvider');
  return (Object.values(found)[0] as Provider).Properties;
}

describe('GitHub Enterprise Server', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it('is described by its own addresses: users consent there, and the token goes only there', async () => {
    const { CredentialProviderVendor, Oauth2ProviderConfigInput } = providerFor(
      'https://ghe.example.com/api/v3',
    );
    expect(CredentialProviderVendor).toBe('CustomOauth2');
    const { Issuer, AuthorizationEndpoint, TokenEndpoint } =
      Oauth2ProviderConfigInput.CustomOauth2ProviderConfig.OauthDiscovery.AuthorizationServerMetadata;
    expect([Issuer, AuthorizationEndpoint, TokenEndpoint].map((each) => new URL(each).origin)).toEqual(
      Array(3).fill('https://ghe.example.com'),
    );
    // The same addresses at the origin of the local stack's GitHub.
    const { credentialProviders } = world.stack.agentCoreIdentity.registry;
    const here = (url: string): string => world.stack.gitHub.url + new URL(url).pathname;
    const [known] = credentialProviders;
    if (known === undefined) throw new Error('no credential provider');
    credentialProviders.splice(0, 1, {
      ...known,
      authorizationEndpoint: here(AuthorizationEndpoint),
      tokenEndpoint: here(TokenEndpoint),
    });
    expect(known.name).toBe(GITHUB_PROVIDER);
    const alice = await world.signIn('alice@example.com');
    const paused = await world.ask(alice, 'ghe', 'Who am I on GitHub?');
    const page = await alice.submitAndFollow(await alice.navigate(connectUrlOf(paused)));
    expect(new URL(page.url).origin).toBe(world.stack.gitHub.url);
    await world.consent(alice, connectUrlOf(paused), 'alice-octo');
    const resumed = await world.resume(alice, 'ghe', ['interrupt-1']);
    expect(resumed.text).toContain('alice-octo');
    expect(world.stack.gitHub.api.seenTokens.length).toBeGreaterThan(0);
  });

  it('is not assumed of github.com', () => {
    expect(providerFor('https://api.github.com').CredentialProviderVendor).toBe('GithubOauth2');
  });
});
