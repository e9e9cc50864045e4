import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { credentialProviderName, namesOf } from './names.ts';

/** Only the action for the chosen way to identify users, because `ForUserId` acts for any user that the caller names. */
const WORKLOAD_TOKEN_ACTIONS = {
  'user-id': 'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
  jwt: 'bedrock-agentcore:GetWorkloadAccessTokenForJWT',
} as const;

/** The store: the bucket, and the key that encrypts it. */
export interface Store {
  readonly bucket: IBucket;
  readonly key: IKey;
}

/** https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/scope-credential-provider-access.html */
function identityArns(
  scope: Construct,
  given: Deployment,
): { readonly workload: string[]; readonly vault: string[]; readonly secrets: string[] } {
  const { partition, account } = Stack.of(scope);
  const region = given.identityRegion ?? given.region;
  const { workloadIdentity } = namesOf(given);
  const base = `arn:${partition}:bedrock-agentcore:${region}:${account}`;
  const directory = `${base}:workload-identity-directory/default`;
  return {
    workload: [directory, `${directory}/workload-identity/${workloadIdentity}`],
    vault: [
      `${base}:token-vault/default`,
      ...given.providers.map(
        ({ id }) =>
          `${base}:token-vault/default/oauth2credentialprovider/${credentialProviderName(given, id)}`,
      ),
    ],
    secrets: given.providers.map(
      ({ clientSecretName }) =>
        `arn:${partition}:secretsmanager:${region}:${account}:secret:${clientSecretName}-??????`,
    ),
  };
}

/**
 * The agent fetches tokens and never completes an authorization. AgentCore Identity reads an OAuth client's secret with the
 * permission of its caller, so the agent may read these secrets.
 */
export function agentPolicy(scope: Construct, given: Deployment, { bucket, key }: Store): PolicyStatement[] {
  const { workload, vault } = identityArns(scope, given);
  return [
    new PolicyStatement({
      sid: 'WorkloadTokens',
      actions: [WORKLOAD_TOKEN_ACTIONS[given.workloadTokenSource]],
      resources: workload,
    }),
    new PolicyStatement({
      sid: 'ProviderTokens',
      actions: ['bedrock-agentcore:GetResourceOauth2Token'],
      resources: [...workload, ...vault],
    }),
    ...clientSecret(scope, given),
    ...modelStatements(scope, given),
    new PolicyStatement({
      sid: 'Conversations',
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      resources: [bucket.arnForObjects('users/*')],
    }),
    new PolicyStatement({
      // The leases of the tasks, and what they want of each other.
      sid: 'Tasks',
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      resources: [bucket.arnForObjects('tasks/*')],
    }),
    new PolicyStatement({
      // It adds new flows, and reads whether a user who had disconnected a provider has authorized it again.
      sid: 'AskedFlows',
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [bucket.arnForObjects('flows/*')],
    }),
    new PolicyStatement({
      sid: 'Connections',
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [bucket.arnForObjects('connections/*')],
    }),
    new PolicyStatement({
      sid: 'Receipts',
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [bucket.arnForObjects('receipts/*')],
    }),
    new PolicyStatement({
      // There is no condition, because S3 answers 404 for a missing object only to a caller who may list the bucket, and a
      // GET has no prefix to compare. The names under flows/ are digests.
      sid: 'ListConversations',
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
    }),
    storeKey(scope, key),
  ];
}

/**
 * Session binding completes authorizations and never fetches a token; the exchange reads the client's secret. In the bucket,
 * it reaches the flow ledger and adds receipts, and may neither read receipts nor list objects.
 */
export function sessionBindingPolicy(
  scope: Construct,
  given: Deployment,
  { bucket, key }: Store,
): PolicyStatement[] {
  const { workload, vault } = identityArns(scope, given);
  return [
    new PolicyStatement({
      sid: 'CompleteAuthorizations',
      actions: ['bedrock-agentcore:CompleteResourceTokenAuth'],
      resources: [...workload, ...vault],
    }),
    ...clientSecret(scope, given),
    new PolicyStatement({
      sid: 'FlowLedger',
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [bucket.arnForObjects('flows/*')],
    }),
    new PolicyStatement({
      sid: 'NewReceipts',
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects('receipts/*')],
    }),
    storeKey(scope, key),
  ];
}

function clientSecret(scope: Construct, given: Deployment): PolicyStatement[] {
  const keys = given.providers.flatMap(({ clientSecretKeyArn }) => clientSecretKeyArn ?? []);
  const region = given.identityRegion ?? given.region;
  const read = new PolicyStatement({
    sid: 'ProviderClientSecret',
    actions: ['secretsmanager:GetSecretValue'],
    resources: identityArns(scope, given).secrets,
  });
  if (keys.length === 0) return [read];
  const decrypt = new PolicyStatement({
    sid: 'ProviderClientSecretKey',
    actions: ['kms:Decrypt'],
    resources: [...new Set(keys)],
    conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } },
  });
  return [read, decrypt];
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html */
function modelStatements(scope: Construct, given: Deployment): PolicyStatement[] {
  const { partition, account, region } = Stack.of(scope);
  const { inferenceProfileId, foundationModelId, regions } = given.model;
  const profile = inferenceProfileId.startsWith('arn:')
    ? inferenceProfileId
    : `arn:${partition}:bedrock:${region}:${account}:inference-profile/${inferenceProfileId}`;
  const models = regions.map(
    (each) => `arn:${partition}:bedrock:${each}::foundation-model/${foundationModelId}`,
  );
  // A global profile also needs the permission for the model without a region.
  const everywhere = inferenceProfileId.startsWith('global.')
    ? [`arn:${partition}:bedrock:::foundation-model/${foundationModelId}`]
    : [];
  return [
    new PolicyStatement({
      sid: 'InferenceProfile',
      actions: ['bedrock:InvokeModelWithResponseStream'],
      resources: [profile],
    }),
    new PolicyStatement({
      sid: 'ModelByProfileOnly',
      actions: ['bedrock:InvokeModelWithResponseStream'],
      resources: [...models, ...everywhere],
      conditions: { StringEquals: { 'bedrock:InferenceProfileArn': profile } },
    }),
  ];
}

function storeKey(scope: Construct, key: IKey): PolicyStatement {
  return new PolicyStatement({
    sid: 'StoreKey',
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `s3.${Stack.of(scope).region}.amazonaws.com` } },
  });
}
