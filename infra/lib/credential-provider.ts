import type { CfnOAuth2CredentialProviderProps } from 'aws-cdk-lib/aws-bedrockagentcore';
import type { ProviderDeployment } from './deployment.ts';

/**
 * The vendors that AgentCore Identity knows: of these, a client is all that it needs.
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

/** Where users of github.com consent; a server of one's own has another origin. */
const GITHUB_API = 'https://api.github.com';

type CredentialProvider = Pick<
  CfnOAuth2CredentialProviderProps,
  'credentialProviderVendor' | 'oauth2ProviderConfigInput'
>;

/** A provider's OAuth client, as AgentCore Identity takes it. */
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
 * `GithubOauth2` knows github.com alone. A server of one's own is described by its endpoints, or its users would consent
 * at github.com, and that token would go to the company's server. Undefined: the file must say it.
 */
export function vendorOf({
  id,
  vendor,
  apiBase = GITHUB_API,
}: Pick<ProviderDeployment, 'id' | 'vendor' | 'apiBase'>): Vendor | undefined {
  if (vendor !== undefined || id !== 'github') return vendor;
  return new URL(apiBase).origin === GITHUB_API ? 'GithubOauth2' : 'CustomOauth2';
}

/** Those of the file; of a GitHub Enterprise Server, those that it always has. Undefined: the file must say them. */
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
