import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key, type IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectOwnership,
  type IBucket,
  type LifecycleRule,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';

const RETENTION: Readonly<Record<Deployment['logRetentionDays'], RetentionDays>> = {
  30: RetentionDays.ONE_MONTH,
  90: RetentionDays.THREE_MONTHS,
  180: RetentionDays.SIX_MONTHS,
  365: RetentionDays.ONE_YEAR,
};

/**
 * The resource is kept when the stack is deleted, but not when the first deployment fails, because otherwise that deployment
 * could not be repeated.
 */
export const KEPT = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;

/** The common properties of all buckets. */
export const CLOSED = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: KEPT,
} as const;

/** AWS services write to the bucket during the first deployment, so a rollback could not delete it. The rollback keeps it. */
export const WRITTEN_AT_ONCE = { ...CLOSED, removalPolicy: RemovalPolicy.RETAIN } as const;

/** The keys, the buckets and the log groups, which outlive a deployment. */
export class Storage extends Construct {
  /** The key of the bucket. */
  readonly key: IKey;
  /** The bucket of conversations, connections and the flow ledger. */
  readonly bucket: IBucket;
  /** The bucket for access logs of the load balancer, which requires SSE-S3, and of the other buckets. */
  readonly accessLogs: Bucket;
  /** The key of log groups, alarms and the flow secret. */
  readonly logsKey: Key;
  /** The key of the audit trail only, so that the trail can have different readers. */
  readonly auditKey: Key;
  readonly #retention: RetentionDays;

  constructor(scope: Construct, id: string, given: Deployment) {
    super(scope, id);
    this.#retention = RETENTION[given.logRetentionDays];
    this.logsKey = this.#newKey('LogsKey', 'OnBehalf: logs and alarms');
    this.auditKey = this.#newKey('AuditKey', 'OnBehalf: audit trail');
    this.#letLogsEncrypt();
    this.accessLogs = new Bucket(this, 'AccessLogs', {
      ...WRITTEN_AT_ONCE,
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(given.logRetentionDays) }],
    });
    const { bucketName, keyArn } = given.sessions;
    if (bucketName !== undefined && keyArn !== undefined) {
      this.key = Key.fromKeyArn(this, 'SessionsKey', keyArn);
      this.bucket = Bucket.fromBucketAttributes(this, 'Sessions', { bucketName, encryptionKey: this.key });
      return;
    }
    this.key = this.#newKey('SessionsKey', 'OnBehalf: conversations and the flow ledger');
    this.bucket = new Bucket(this, 'Sessions', {
      ...CLOSED,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      versioned: true,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: 'sessions/',
      lifecycleRules: lifecycleOf(given.sessions),
    });
  }

  logGroup(name: string, logGroupName?: string): LogGroup {
    return new LogGroup(this, name, {
      encryptionKey: this.logsKey,
      retention: this.#retention,
      removalPolicy: KEPT,
      ...(logGroupName !== undefined && { logGroupName }),
    });
  }

  #letLogsEncrypt(): void {
    const { partition, account, region } = Stack.of(this);
    this.logsKey.grantEncryptDecrypt(
      new ServicePrincipal(`logs.${region}.amazonaws.com`, {
        conditions: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:*` },
        },
      }),
    );
  }

  #newKey(name: string, description: string): Key {
    return new Key(this, name, { description, enableKeyRotation: true, removalPolicy: KEPT });
  }
}

function lifecycleOf({ keepDeletedDays, keepDays }: Deployment['sessions']): LifecycleRule[] {
  return [
    {
      noncurrentVersionExpiration: Duration.days(keepDeletedDays),
      abortIncompleteMultipartUploadAfter: Duration.days(1),
      expiredObjectDeleteMarker: true,
    },
    // A flow ends after ten minutes. The record is kept for a day, so that operators can investigate.
    { prefix: 'flows/', expiration: Duration.days(1), noncurrentVersionExpiration: Duration.days(1) },
    // Written every two seconds. Only the last one counts, and only for seconds.
    { prefix: 'tasks/', expiration: Duration.days(1), noncurrentVersionExpiration: Duration.days(1) },
    ...(keepDays === undefined
      ? []
      : ['users/', 'receipts/'].map((prefix) => ({ prefix, expiration: Duration.days(keepDays) }))),
  ];
}
