import type { Fault } from '../../local/lib/faults.ts';
import { ACCESS_KEYS, KEY_ARN, WORKLOAD } from '../../local/stack.ts';
import type { PlantedFault } from './doctor-faults.ts';

const answer = (status: number, type: string, message: string): Fault => ({
  kind: 'answer',
  status,
  headers: { 'x-amzn-errortype': type },
  body: JSON.stringify({ message }),
});

/** The faults of AgentCore Identity, the bucket, its key and the model. */
export const AWS_FAULTS: readonly PlantedFault[] = [
  {
    name: 'a workload identity that does not exist',
    plant: (environment) => {
      environment.WORKLOAD_IDENTITY_NAME = 'other';
    },
    found: { 'workload identity': /there is no other in eu-central-1/ },
    fix: /create-workload-identity --region eu-central-1 --name other --allowed-resource-oauth2-return-urls http:\/\/localhost:\d+\/oauth2\/session-binding/,
    waiting: ['return URLs', 'callback URL'],
  },
  {
    name: 'a check that is not permitted',
    plant: (environment) => {
      environment.AWS_ACCESS_KEY_ID = ACCESS_KEYS.agent;
    },
    found: {
      'workload identity': /onbehalf-agent\/local may not bedrock-agentcore:GetWorkloadIdentity/,
      'credential provider': /may not bedrock-agentcore:GetOauth2CredentialProvider/,
    },
    fix: /aws iam put-role-policy --role-name onbehalf-agent .*"Action":"bedrock-agentcore:GetWorkloadIdentity"/,
    waiting: ['return URLs', 'callback URL'],
  },
  {
    name: 'a return URL that is not registered',
    plant: (_, stack) => {
      stack.agentCoreIdentity.registry.workloads[0] = {
        name: WORKLOAD,
        allowedResourceOauth2ReturnUrls: ['https://old.example.com/oauth2/session-binding'],
      };
    },
    found: { 'return URLs': /is not among those of the workload identity \(https:\/\/old\.example\.com/ },
    fix: /update-workload-identity .* https:\/\/old\.example\.com\/oauth2\/session-binding http:\/\/localhost:\d+\/oauth2\/session-binding/,
    waiting: ['callback URL'],
  },
  {
    name: 'a credential provider that is not there',
    plant: (environment) => {
      environment.GITHUB_PROVIDER_NAME = 'other';
    },
    found: { 'credential provider': /there is no other in eu-central-1/ },
    fix: /create-oauth2-credential-provider --region eu-central-1 --name other --credential-provider-vendor GithubOauth2/,
    waiting: ['callback URL'],
  },
  ...[
    {
      change: { vendor: 'GoogleOauth2' },
      says: /is of GoogleOauth2, not of GitHub/,
      fix: /get-oauth2-credential-provider/,
    },
    {
      change: { status: 'CREATE_FAILED' },
      says: /is CREATE_FAILED/,
      fix: /get-oauth2-credential-provider/,
    },
  ].map(({ change, says, fix }): PlantedFault => ({
    name: `a credential provider with ${JSON.stringify(change)}`,
    plant: (_, stack) => {
      const [provider] = stack.agentCoreIdentity.registry.credentialProviders;
      if (provider !== undefined)
        stack.agentCoreIdentity.registry.credentialProviders[0] = { ...provider, ...change };
    },
    found: { 'credential provider': says },
    fix,
    waiting: ['callback URL'],
  })),
  {
    name: 'a token that may not be fetched, with the name of the missing action',
    plant: (_, stack) => {
      const denied = answer(403, 'AccessDeniedException', 'User: x is not authorized to perform this');
      stack.agentCoreIdentity.faults.plan(/GetWorkloadAccessTokenForUserId/, denied);
    },
    found: { 'callback URL': /may not bedrock-agentcore:GetWorkloadAccessTokenForUserId/ },
    fix: /onbehalf-doctor-bedrock-agentcore-GetWorkloadAccessTokenForUserId/,
  },
  {
    name: "a callback that the provider's OAuth app does not allow",
    plant: (_, stack) => {
      stack.gitHubCallbacks.splice(0, 1, 'https://old.example.com/callback');
    },
    found: {
      'callback URL':
        /refuses the client onbehalf-local with the callback http:\/\/127\.0\.0\.1:\d+\/identities\/oauth2\/callback\/[0-9a-f-]{36}/,
    },
    fix: /curl -sS 'http.*Enter that callback at https:\/\/github\.com\/settings\/developers/s,
  },
  {
    name: 'an OAuth client that the provider does not know',
    plant: (_, stack) => {
      const [provider] = stack.agentCoreIdentity.registry.credentialProviders;
      if (provider !== undefined)
        stack.agentCoreIdentity.registry.credentialProviders[0] = { ...provider, clientId: 'somebody-else' };
    },
    found: { 'callback URL': /refuses the client somebody-else/ },
    fix: /compare the client id/,
  },
  {
    name: 'a bucket that does not exist',
    plant: (environment) => {
      environment.S3_BUCKET_NAME = 'no-such-bucket';
    },
    found: { bucket: /there is no bucket no-such-bucket/ },
    fix: /aws s3api create-bucket --bucket no-such-bucket --region eu-central-1/,
    waiting: ['key'],
  },
  {
    name: 'a bucket that the caller may not access',
    plant: (_, stack) => {
      stack.s3.faults.plan(/^HEAD/, { kind: 'answer', status: 403 });
    },
    found: { bucket: /onbehalf-operator\/local may not s3:ListBucket/ },
    fix: /put-role-policy --role-name onbehalf-operator .*"s3:ListBucket"/,
    waiting: ['key'],
  },
  {
    name: 'a bucket that is in another region, keeps no versions and is public',
    plant: (_, stack) => {
      stack.s3.settings = {
        ...stack.s3.settings,
        region: 'us-east-1',
        versioned: false,
        closedToThePublic: false,
      };
    },
    found: {
      bucket: /is in us-east-1, AWS_REGION is eu-central-1.*keeps no versions.*opened to the public/s,
    },
    fix: /put-bucket-versioning .*Status=Enabled.*put-public-access-block .*RestrictPublicBuckets=true/s,
    waiting: ['key'],
  },
  {
    name: 'a bucket without its own key',
    plant: (_environment, stack) => {
      const { keyArn: _, ...settings } = stack.s3.settings;
      stack.s3.settings = settings;
    },
    found: { key: /not encrypted with a KMS key/ },
    fix: /put-bucket-encryption --bucket onbehalf-local-sessions/,
  },
  {
    name: 'a disabled key',
    plant: (_, stack) => {
      stack.account.keys.set(KEY_ARN, { enabled: false, rotates: true });
    },
    found: { key: /is not enabled: nothing in the bucket can be read/ },
    fix: /aws kms enable-key --region eu-central-1 --key-id arn:aws:kms/,
  },
  {
    name: 'a key that is not rotated',
    plant: (_, stack) => {
      stack.account.keys.set(KEY_ARN, { enabled: true, rotates: false });
    },
    found: { key: /is not rotated/ },
    fix: /aws kms enable-key-rotation --region eu-central-1/,
  },
  {
    name: 'a deleted key',
    plant: (_, stack) => {
      stack.account.keys.clear();
    },
    found: { key: /does not exist: nothing can be written/ },
    fix: /put-bucket-encryption/,
  },
  ...[
    {
      fault: answer(
        403,
        'AccessDeniedException',
        "You don't have access to the model with the specified model ID.",
      ),
      says: /this account has no access to local\.rule-based-stand-in yet/,
      fix: /aws bedrock list-foundation-model-agreement-offers .*Model access/s,
    },
    {
      fault: answer(
        403,
        'AccessDeniedException',
        'User: x is not authorized to perform: bedrock:InvokeModel',
      ),
      says: /may not bedrock:InvokeModelWithResponseStream/,
      fix: /aws iam put-role-policy/,
    },
    {
      fault: answer(400, 'ValidationException', 'The provided model identifier is invalid.'),
      says: /there is no local\.rule-based-stand-in in eu-central-1/,
      fix: /list-inference-profiles/,
    },
    {
      fault: answer(
        400,
        'ValidationException',
        "Invocation of model ID x with on-demand throughput isn't supported.",
      ),
      says: /can be called through an inference profile only/,
      fix: /list-inference-profiles/,
    },
    {
      fault: answer(429, 'ThrottlingException', 'Too many requests'),
      says: /failed: ThrottlingException: Too many requests/,
      fix: /npm run doctor/,
    },
  ].map(({ fault, says, fix }): PlantedFault => ({
    name: `a model whose call fails with ${JSON.stringify(fault.kind === 'answer' ? fault.body : '')}`,
    plant: (_, stack) => {
      stack.bedrock.faults.plan(/./, fault);
    },
    found: { model: says },
    fix,
  })),
];
