import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import {
  CfnOAuth2CredentialProvider,
  CfnWorkloadIdentity,
  type CfnOAuth2CredentialProviderProps,
} from 'aws-cdk-lib/aws-bedrockagentcore';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { namesOf } from './names.ts';

/** Where users of github.com consent; a server of one's own has another origin. */
const GITHUB_API = 'https://api.github.com';

/** AgentCore Identity: who the agent is, where browsers may come back to, and GitHub's OAuth client. */
export class IdentityStack extends Stack {
  constructor(scope: Construct, id: string, given: Deployment, props: StackProps) {
    super(scope, id, props);
    const { workloadIdentity, gitHubProvider, sessionBindingUrl } = namesOf(given);
    const workload = new CfnWorkloadIdentity(this, 'WorkloadIdentity', {
      name: workloadIdentity,
      allowedResourceOauth2ReturnUrls: [sessionBindingUrl],
    });
    const provider = new CfnOAuth2CredentialProvider(this, 'GitHub', {
      name: gitHubProvider,
      ...gitHubConfig(given.github),
    });
    new CfnOutput(this, 'WorkloadIdentityArn', { value: workload.attrWorkloadIdentityArn });
    new CfnOutput(this, 'GitHubCallbackUrl', {
      value: provider.attrCallbackUrl,
      description: 'Paste it into the GitHub OAuth app as its callback',
    });
  }
}

/**
 * `GithubOauth2` knows github.com alone. A server of one's own is described by its endpoints, or its users would consent
 * at github.com, and that token would go to the company's server.
 */
function gitHubConfig(
  given: Deployment['github'],
): Pick<CfnOAuth2CredentialProviderProps, 'credentialProviderVendor' | 'oauth2ProviderConfigInput'> {
  const client = {
    clientId: given.clientId,
    clientSecretSource: 'EXTERNAL',
    clientSecretConfig: { secretId: given.clientSecretName, jsonKey: 'clientSecret' },
  };
  const { origin } = new URL(given.apiBase);
  if (origin === GITHUB_API) {
    return {
      credentialProviderVendor: 'GithubOauth2',
      oauth2ProviderConfigInput: { githubOauth2ProviderConfig: client },
    };
  }
  return {
    credentialProviderVendor: 'CustomOauth2',
    oauth2ProviderConfigInput: {
      customOauth2ProviderConfig: {
        ...client,
        clientAuthenticationMethod: 'CLIENT_SECRET_POST',
        oauthDiscovery: {
          authorizationServerMetadata: {
            issuer: origin,
            authorizationEndpoint: `${origin}/login/oauth/authorize`,
            tokenEndpoint: `${origin}/login/oauth/access_token`,
            responseTypes: ['code'],
          },
        },
      },
    },
  };
}
