import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnOAuth2CredentialProvider, CfnWorkloadIdentity } from 'aws-cdk-lib/aws-bedrockagentcore';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { namesOf } from './names.ts';

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
      credentialProviderVendor: 'GithubOauth2',
      oauth2ProviderConfigInput: {
        githubOauth2ProviderConfig: {
          clientId: given.github.clientId,
          clientSecretSource: 'EXTERNAL',
          clientSecretConfig: { secretId: given.github.clientSecretName, jsonKey: 'clientSecret' },
        },
      },
    });
    new CfnOutput(this, 'WorkloadIdentityArn', { value: workload.attrWorkloadIdentityArn });
    new CfnOutput(this, 'GitHubCallbackUrl', {
      value: provider.attrCallbackUrl,
      description: 'Paste it into the GitHub OAuth app as its callback',
    });
  }
}
