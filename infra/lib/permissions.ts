import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { namesOf } from './names.ts';

/** https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/scope-credential-provider-access.html */
function identityArns(
  scope: Construct,
  given: Deployment,
): { readonly workload: string[]; readonly vault: string[]; readonly secret: string } {
  const { partition, account } = Stack.of(scope);
  const region = given.identityRegion ?? given.region;
  const { workloadIdentity, gitHubProvider } = namesOf(given);
  const base = `arn:${partition}:bedrock-agentcore:${region}:${account}`;
  const directory = `${base}:workload-identity-directory/default`;
  return {
    workload: [directory, `${directory}/workload-identity/${workloadIdentity}`],
    vault: [
      `${base}:token-vault/default`,
      `${base}:token-vault/default/oauth2credentialprovider/${gitHubProvider}`,
    ],
    secret: `arn:${partition}:secretsmanager:${region}:${account}:secret:${given.github.clientSecretName}-??????`,
  };
}

/**
 * The agent fetches tokens and never completes an authorization. AgentCore Identity reads the OAuth client's secret with
 * its caller's permission, hence the one secret.
 */
export function agentPolicy(
  scope: Construct,
  given: Deployment,
  sessions: IBucket,
  key: IKey,
): PolicyStatement[] {
  const { partition, account, region } = Stack.of(scope);
  const { workload, vault, secret } = identityArns(scope, given);
  const { inferenceProfileId, foundationModelId, regions } = given.model;
  const profile = `arn:${partition}:bedrock:${region}:${account}:inference-profile/${inferenceProfileId}`;
  return [
    new PolicyStatement({
      sid: 'WorkloadTokens',
      actions: [
        'bedrock-agentcore:GetWorkloadAccessToken',
        'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
        'bedrock-agentcore:GetWorkloadAccessTokenForJWT',
      ],
      resources: workload,
    }),
    new PolicyStatement({
      sid: 'ProviderTokens',
      actions: ['bedrock-agentcore:GetResourceOauth2Token'],
      resources: [...workload, ...vault],
    }),
    new PolicyStatement({
      sid: 'ProviderClientSecret',
      actions: ['secretsmanager:GetSecretValue'],
      resources: [secret],
    }),
    new PolicyStatement({
      sid: 'InferenceProfile',
      actions: ['bedrock:InvokeModelWithResponseStream'],
      resources: [profile],
    }),
    new PolicyStatement({
      sid: 'ModelByProfileOnly',
      actions: ['bedrock:InvokeModelWithResponseStream'],
      resources: regions.map(
        (each) => `arn:${partition}:bedrock:${each}::foundation-model/${foundationModelId}`,
      ),
      conditions: { StringEquals: { 'bedrock:InferenceProfileArn': profile } },
    }),
    new PolicyStatement({
      sid: 'Conversations',
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      resources: [sessions.arnForObjects('users/*')],
    }),
    new PolicyStatement({
      sid: 'ListConversations',
      actions: ['s3:ListBucket'],
      resources: [sessions.bucketArn],
      conditions: { StringLike: { 's3:prefix': 'users/*' } },
    }),
    new PolicyStatement({
      sid: 'ConversationsKey',
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
    }),
  ];
}

/** Session binding completes authorizations and never fetches a token; the exchange reads the client's secret. */
export function sessionBindingPolicy(scope: Construct, given: Deployment): PolicyStatement[] {
  const { workload, vault, secret } = identityArns(scope, given);
  return [
    new PolicyStatement({
      sid: 'CompleteAuthorizations',
      actions: ['bedrock-agentcore:CompleteResourceTokenAuth'],
      resources: [...workload, ...vault],
    }),
    new PolicyStatement({
      sid: 'ProviderClientSecret',
      actions: ['secretsmanager:GetSecretValue'],
      resources: [secret],
    }),
  ];
}
