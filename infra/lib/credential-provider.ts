import type { CfnOAuth2CredentialProviderProps } from 'aws-cdk-lib/aws-bedrockagentcore';
import type { ProviderDeployment } from './deployment-parts.ts';

/**
 * The vendors that AgentCore Identity knows. For these it needs only a client.
 * https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_Oauth2ProviderConfigInput.html
 */
export const VENDORS = [
  'GithubOauth2',
  'AtlassianOauth2',
  'GoogleOauth2',
  'LinkedinOauth2',
  'MicrosoftOauth2',
  'SalesforceOauth2',
  'SlackOauth2',
  'CustomOauth2',
] as const;
type Vendor = (typeof VENDORS)[number];

/** The origin where users of github.com consent. A GitHub Enterprise Server has another origin. */
const GITHUB_API = 'https://api.github.com';

type CredentialProvider = Pick<
  CfnOAuth2CredentialProviderProps,
  'credentialProviderVendor' | 'oauth2ProviderConfigInput'
>;

/** A provider's OAuth client, in the form of AgentCore Identity. */
export function credentialProvider(given: ProviderDeployment): CredentialProvider {
  const client = {
    clientId: given.clientId,
    clientSecretSource: 'EXTERNAL',
    clientSecretConfig: { secretId: given.clientSecretName, jsonKey: 'clientSecret' },
  };
  const vendor = vendorOf(given) ?? 'CustomOauth2';
  if (vendor !== 'CustomOauth2') {
    const member = `${vendor.charAt(0).toLowerCase()}${vendor.slice(1)}ProviderConfig`;
    return { credentialProviderVendor: vendor, oauth2ProviderConfigInput: { [member]: client } };
  }
  const endpoints = endpointsOf(given);
  if (endpoints === undefined) throw new TypeError(`${given.id} has no endpoints`);
  return {
    credentialProviderVendor: vendor,
    oauth2ProviderConfigInput: {
      customOauth2ProviderConfig: {
        ...client,
        clientAuthenticationMethod: 'CLIENT_SECRET_POST',
        oauthDiscovery: { authorizationServerMetadata: { ...endpoints, responseTypes: ['code'] } },
      },
    },
  };
}

/**
 * `GithubOauth2` knows only github.com. A GitHub Enterprise Server must be described by its endpoints. Otherwise its users
 * would consent at github.com, and that token would go to the company's server. When undefined, the file must name the
 * vendor.
 */
export function vendorOf({
  id,
  vendor,
  apiBase = GITHUB_API,
}: Pick<ProviderDeployment, 'id' | 'vendor' | 'apiBase'>): Vendor | undefined {
  if (vendor !== undefined || id !== 'github') return vendor;
  return new URL(apiBase).origin === GITHUB_API ? 'GithubOauth2' : 'CustomOauth2';
}

/**
 * The endpoints of the file, or the standard endpoints of a GitHub Enterprise Server. When undefined, the file must name
 * them.
 */
export function endpointsOf({
  id,
  apiBase = GITHUB_API,
  endpoints,
}: Pick<ProviderDeployment, 'id' | 'apiBase' | 'endpoints'>): ProviderDeployment['endpoints'] {
  if (endpoints !== undefined || id !== 'github') return endpoints;
  const { origin } = new URL(apiBase);
  return {
    issuer: origin,
    authorizationEndpoint: `${origin}/login/oauth/authorize`,
    tokenEndpoint: `${origin}/login/oauth/access_token`,
  };
}
