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

/** Kept when the stack goes, and not when the very first deployment fails: that one could not be tried again else. */
export const KEPT = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;

/** What every bucket is like. */
export const CLOSED = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: KEPT,
} as const;

/** Others write to it while the first deployment is still going on, so a rollback could not delete it: it leaves it. */
export const WRITTEN_AT_ONCE = { ...CLOSED, removalPolicy: RemovalPolicy.RETAIN } as const;

/** The keys, the buckets and the log groups: what outlives a deployment. */
export class Storage extends Construct {
  /** Of the bucket. */
  readonly key: IKey;
  /** Conversations and connections, and the flow ledger. */
  readonly bucket: IBucket;
  /** Access logs of the load balancer, which writes to nothing but SSE-S3, and of the other buckets. */
  readonly accessLogs: Bucket;
  /** Of log groups, alarms and the flow secret. */
  readonly logsKey: Key;
  /** Of the audit trail alone, so that its readers can be others. */
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
    // A flow is over after ten minutes. The day is for those who look into it.
    { prefix: 'flows/', expiration: Duration.days(1), noncurrentVersionExpiration: Duration.days(1) },
    ...(keepDays === undefined ? [] : [{ prefix: 'users/', expiration: Duration.days(keepDays) }]),
  ];
}
