import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnOAuth2CredentialProvider, CfnWorkloadIdentity } from 'aws-cdk-lib/aws-bedrockagentcore';
import type { Construct } from 'constructs';
import { credentialProvider } from './credential-provider.ts';
import type { Deployment } from './deployment.ts';
import { credentialProviderName, namesOf } from './names.ts';

/** AgentCore Identity: the identity of the agent, the allowed return URLs, and the OAuth client of each provider. */
export class IdentityStack extends Stack {
  constructor(scope: Construct, id: string, given: Deployment, props: StackProps) {
    super(scope, id, props);
    const { workloadIdentity, sessionBindingUrl } = namesOf(given);
    const workload = new CfnWorkloadIdentity(this, 'WorkloadIdentity', {
      name: workloadIdentity,
      allowedResourceOauth2ReturnUrls: [sessionBindingUrl],
    });
    new CfnOutput(this, 'WorkloadIdentityArn', { value: workload.attrWorkloadIdentityArn });
    for (const provider of given.providers) {
      const logicalId = logicalIdOf(provider.id);
      const made = new CfnOAuth2CredentialProvider(this, logicalId, {
        name: credentialProviderName(given, provider.id),
        ...credentialProvider(provider),
      });
      new CfnOutput(this, `${logicalId}CallbackUrl`, {
        value: made.attrCallbackUrl,
        description: `Enter it as the callback of the OAuth client at the provider ${provider.id}`,
      });
    }
  }
}

/** GitHub's resource existed first, and CloudFormation replaces a resource whose logical id changes. */
function logicalIdOf(id: string): string {
  if (id === 'github') return 'GitHub';
  return id
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
