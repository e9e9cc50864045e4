import type { AgentRoleConfig } from '../../config/index.js';
import { AwsFault } from '../aws.js';
import type { AgentCheck, CheckContext } from '../check.js';
import { ok, sh, wrong, type Result } from '../finding.js';

/** Checks that the bucket for conversations and flows exists, is in the right region, keeps versions and is not public. */
export const bucket: AgentCheck = {
  subject: 'bucket',
  needs: ['region'],
  run: async ({ config, aws, region }) => {
    const name = config.conversations.bucket;
    const { region: itsRegion = region, versioned, closedToThePublic } = await aws.bucket(name);
    const results: Result[] = [];
    if (itsRegion !== region) {
      results.push(
        wrong(
          `${name} is in ${itsRegion}, AWS_REGION is ${region}`,
          sh`aws s3api list-buckets --bucket-region ${region} --query 'Buckets[].Name'`,
          'Set S3_BUCKET_NAME to one of these, or move the tasks.',
        ),
      );
    }
    if (!versioned) {
      results.push(
        wrong(
          `${name} keeps no versions: overwritten objects are lost`,
          sh`aws s3api put-bucket-versioning --bucket ${name} --versioning-configuration Status=Enabled`,
        ),
      );
    }
    if (!closedToThePublic) {
      results.push(
        wrong(
          `${name} could be opened to the public`,
          sh`aws s3api put-public-access-block --bucket ${name} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true`,
        ),
      );
    }
    return results.length > 0 ? results : [ok(`${name}: versioned, closed to the public`)];
  },
  absent: ({ config, region }) => {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html
    const constraint =
      region === 'us-east-1' ? [] : ['--create-bucket-configuration', `LocationConstraint=${region}`];
    return wrong(
      `there is no bucket ${config.conversations.bucket}`,
      sh`aws s3api create-bucket --bucket ${config.conversations.bucket} --region ${region} ${constraint}`,
    );
  },
};

function encrypt({ config }: CheckContext<AgentRoleConfig>): string {
  const rules = JSON.stringify({
    Rules: [
      {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'KEY_ARN' },
        BucketKeyEnabled: true,
      },
    ],
  });
  return sh`aws s3api put-bucket-encryption --bucket ${config.conversations.bucket} --server-side-encryption-configuration ${rules}`;
}

/** Checks that the bucket is encrypted with an enabled KMS key that KMS rotates. */
export const key: AgentCheck = {
  subject: 'key',
  needs: ['bucket'],
  run: async (context) => {
    const { config, aws, region } = context;
    const { keyId } = await aws.bucket(config.conversations.bucket);
    if (keyId === undefined) {
      const says =
        'the bucket is not encrypted with a KMS key, so access to its objects cannot be revoked by disabling the key';
      return [wrong(says, encrypt(context))];
    }
    const { enabled, rotates } = await aws.key(keyId);
    const of = ['--region', region, '--key-id', keyId];
    if (!enabled)
      return [
        wrong(`${keyId} is not enabled: nothing in the bucket can be read`, sh`aws kms enable-key ${of}`),
      ];
    if (!rotates) return [wrong(`${keyId} is not rotated`, sh`aws kms enable-key-rotation ${of}`)];
    return [ok(`${keyId}: enabled, rotated`)];
  },
  absent: async (context) => {
    const { keyId = '' } = await context.aws.bucket(context.config.conversations.bucket);
    return wrong(`the bucket's key ${keyId} does not exist: nothing can be written`, encrypt(context));
  },
};

/** Checks that the model answers. It asks for one word, which costs a fraction of a cent. */
export const model: AgentCheck = {
  subject: 'model',
  needs: [],
  run: async ({ config, aws, region }) => {
    const { id } = config.model;
    const list = sh`aws bedrock list-inference-profiles --region ${region} --query 'inferenceProfileSummaries[].inferenceProfileId'`;
    try {
      await aws.model(id);
      return [ok(`${id} answers`)];
    } catch (error) {
      if (!(error instanceof AwsFault)) throw error;
      if (
        error.kind === 'denied' &&
        /don't have access to the model|model access|use case details/i.test(error.message)
      ) {
        return [
          wrong(
            `this account has no access to ${id} yet`,
            sh`aws bedrock list-foundation-model-agreement-offers --region ${region} --model-id ${id.replace(/^[a-z-]+\.(?=anthropic\.|amazon\.|meta\.)/, '')}`,
            'Request access in the Bedrock console, under Model access.',
          ),
        ];
      }
      if (error.kind === 'absent' || /model identifier is invalid/i.test(error.message))
        return [wrong(`there is no ${id} in ${region}`, list)];
      if (/on-demand throughput/i.test(error.message))
        return [wrong(`${id} can be called through an inference profile only`, list)];
      throw error;
    }
  },
};
