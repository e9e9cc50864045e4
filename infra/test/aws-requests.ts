import type { AwsCall } from '../../local/lib/aws-call.ts';
import type { Deployment } from '../lib/deployment.ts';
import { credentialProviderName, namesOf } from '../lib/names.ts';

/** One request to IAM. A call may need several, and each must be allowed. */
export interface IamRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
}

export const BUCKET = 'onbehalf-data';
/** The KMS key of the bucket, in the region of the bucket. */
export const keyArnIn = (region: string): string =>
  `arn:aws:kms:${region}:111122223333:key/0f7a3b1e-5d1c-4b7e-9a51-0c6f2d7e8a90`;
const KMS_ACTIONS: Readonly<Record<string, string>> = {
  's3:GetObject': 'kms:Decrypt',
  's3:PutObject': 'kms:GenerateDataKey',
};

/** The IAM requests of a call of the local stack, in a deployment with this bucket and this key. */
export function requestsOf({ action, target }: AwsCall, given: Deployment): readonly IamRequest[] {
  if (action.startsWith('s3:')) return s3Requests(action, target, given);
  if (action.startsWith('bedrock:')) return modelRequests(action, given);
  return identityRequests(action, given);
}

function s3Requests(action: string, target: AwsCall['target'], given: Deployment): readonly IamRequest[] {
  const { key, prefix } = target;
  const bucket = `arn:aws:s3:::${BUCKET}`;
  const resource = key === undefined || action === 's3:ListBucket' ? bucket : `${bucket}/${key}`;
  // Only a listing has a prefix. A GET of a missing object needs the same action without a prefix.
  const context: IamRequest['context'] = prefix === undefined ? {} : { 's3:prefix': prefix };
  const encrypts = KMS_ACTIONS[action];
  return [
    { action, resource, context },
    ...(encrypts === undefined
      ? []
      : [
          {
            action: encrypts,
            resource: keyArnIn(given.region),
            context: { 'kms:ViaService': `s3.${given.region}.amazonaws.com` },
          },
        ]),
  ];
}

/** S3 answers 404 for a missing object only if the caller may list the bucket without a prefix. */
export function listingFor(): IamRequest {
  return { action: 's3:ListBucket', resource: `arn:aws:s3:::${BUCKET}`, context: {} };
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html */
function modelRequests(action: string, { model, region, account }: Deployment): readonly IamRequest[] {
  const { inferenceProfileId, foundationModelId, regions } = model;
  const profile = inferenceProfileId.startsWith('arn:')
    ? inferenceProfileId
    : `arn:aws:bedrock:${region}:${account}:inference-profile/${inferenceProfileId}`;
  const context = { 'bedrock:InferenceProfileArn': profile };
  return [
    { action, resource: profile, context: {} },
    ...regions.map((each) => ({
      action,
      resource: `arn:aws:bedrock:${each}::foundation-model/${foundationModelId}`,
      context,
    })),
  ];
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrockagentcore.html */
function identityRequests(action: string, given: Deployment): readonly IamRequest[] {
  const region = given.identityRegion ?? given.region;
  const base = `arn:aws:bedrock-agentcore:${region}:${given.account}`;
  const { workloadIdentity } = namesOf(given);
  const [{ id, clientSecretName }] = given.providers as [Deployment['providers'][number]];
  const directory = `${base}:workload-identity-directory/default`;
  const vault = `${base}:token-vault/default`;
  const workload = [directory, `${directory}/workload-identity/${workloadIdentity}`];
  const provider = [vault, `${vault}/oauth2credentialprovider/${credentialProviderName(given, id)}`];
  const resources = action.includes('GetWorkloadAccessToken') ? workload : [...workload, ...provider];
  const secret = `arn:aws:secretsmanager:${region}:${given.account}:secret:${clientSecretName}-AbCdEf`;
  return [
    ...resources.map((resource) => ({ action, resource, context: {} })),
    // AgentCore Identity reads the client's secret with its caller's permission.
    ...(action.includes('GetWorkloadAccessToken')
      ? []
      : [{ action: 'secretsmanager:GetSecretValue', resource: secret, context: {} }]),
  ];
}

/** The same request for a foreign resource: another bucket, workload, provider, secret, key, model or account. */
export function ofAnother({ action, resource, context }: IamRequest): readonly IamRequest[] {
  const changed = [
    resource.replace(`:::${BUCKET}`, ':::another-bucket'),
    resource.replace(/workload-identity\/[\w-]+$/, 'workload-identity/another'),
    resource.replace(/oauth2credentialprovider\/[\w-]+$/, 'oauth2credentialprovider/another'),
    resource.replace(/secret:[^:]+$/, 'secret:another/secret-AbCdEf'),
    resource.replace(/key\/[\w-]+$/, 'key/11111111-2222-3333-4444-555555555555'),
    resource.replace(/foundation-model\/.*$/, 'foundation-model/another.model-v1:0'),
    resource.replace(/inference-profile\/.*$/, 'inference-profile/eu.another.model-v1:0'),
    resource.replace(':111122223333:', ':999999999999:'),
  ];
  return [...new Set(changed)]
    .filter((each) => each !== resource)
    .map((each) => ({ action, resource: each, context }));
}
