import { notFound } from './errors.ts';
import type { Members } from './members.ts';
import { callbackUrl, type Operation, type OperationContext } from './operations.ts';

const NAME = /^[A-Za-z0-9_.-]+$/;
const ARN = 'arn:aws:bedrock-agentcore:eu-central-1:111122223333';

/** The registrations, as the two `Get` operations of the control plane return them. */
export const CONTROL_OPERATIONS: Readonly<Record<string, readonly [name: string, run: Operation]>> = {
  '/identities/GetWorkloadIdentity': ['GetWorkloadIdentity', getWorkloadIdentity],
  '/identities/GetOauth2CredentialProvider': ['GetOauth2CredentialProvider', getOauth2CredentialProvider],
};

function getWorkloadIdentity({ workloads }: OperationContext, members: Members): object {
  const name = members.text('name', 255, NAME);
  const workload = workloads.find((each) => each.name === name);
  if (workload === undefined) throw notFound(`Workload identity ${name} does not exist`);
  return {
    name,
    workloadIdentityArn: `${ARN}:workload-identity-directory/default/workload-identity/${name}`,
    allowedResourceOauth2ReturnUrls: workload.allowedResourceOauth2ReturnUrls,
    createdTime: 0,
    lastUpdatedTime: 0,
  };
}

function getOauth2CredentialProvider(context: OperationContext, members: Members): object {
  const name = members.text('name', 128, NAME);
  const provider = context.credentialProviders.find((each) => each.name === name);
  if (provider === undefined) throw notFound(`Credential provider ${name} does not exist`);
  return {
    name,
    credentialProviderArn: `${ARN}:token-vault/default/oauth2credentialprovider/${name}`,
    credentialProviderVendor: provider.vendor ?? 'GithubOauth2',
    clientSecretArn: { secretArn: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}` },
    callbackUrl: callbackUrl(context, provider),
    oauth2ProviderConfigOutput: {
      githubOauth2ProviderConfig: {
        clientId: provider.clientId,
        oauthDiscovery: {
          authorizationServerMetadata: {
            issuer: new URL(provider.authorizationEndpoint).origin,
            authorizationEndpoint: provider.authorizationEndpoint,
            tokenEndpoint: provider.tokenEndpoint,
          },
        },
      },
    },
    status: provider.status ?? 'READY',
    createdTime: 0,
    lastUpdatedTime: 0,
  };
}
