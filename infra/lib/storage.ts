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
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';

const RETENTION: Readonly<Record<Deployment['logRetentionDays'], RetentionDays>> = {
  30: RetentionDays.ONE_MONTH,
  90: RetentionDays.THREE_MONTHS,
  180: RetentionDays.SIX_MONTHS,
  365: RetentionDays.ONE_YEAR,
};

const CLOSED = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
} as const;

/** The key, the buckets and the log groups: what outlives a deployment. */
export class Storage extends Construct {
  readonly key: IKey;
  readonly sessions: IBucket;
  /** Access logs of the load balancer, which writes to nothing but SSE-S3, and of the other bucket. */
  readonly accessLogs: Bucket;
  readonly #retention: RetentionDays;
  readonly #logsKey: Key;

  constructor(scope: Construct, id: string, given: Deployment) {
    super(scope, id);
    this.#retention = RETENTION[given.logRetentionDays];
    this.#logsKey = this.#newKey('LogsKey', 'OnBehalf: logs and alarms');
    const { partition, account, region } = Stack.of(this);
    this.#logsKey.grantEncryptDecrypt(
      new ServicePrincipal(`logs.${region}.amazonaws.com`, {
        conditions: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:*` },
        },
      }),
    );
    this.accessLogs = new Bucket(this, 'AccessLogs', {
      ...CLOSED,
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(given.logRetentionDays) }],
    });
    const { bucketName, keyArn, keepDeletedDays } = given.sessions;
    if (bucketName !== undefined && keyArn !== undefined) {
      this.key = Key.fromKeyArn(this, 'SessionsKey', keyArn);
      this.sessions = Bucket.fromBucketAttributes(this, 'Sessions', { bucketName, encryptionKey: this.key });
      return;
    }
    this.key = this.#newKey('SessionsKey', 'OnBehalf: conversations');
    this.sessions = new Bucket(this, 'Sessions', {
      ...CLOSED,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      versioned: true,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: 'sessions/',
      lifecycleRules: [
        {
          noncurrentVersionExpiration: Duration.days(keepDeletedDays),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
          expiredObjectDeleteMarker: true,
        },
      ],
    });
  }

  get logsKey(): IKey {
    return this.#logsKey;
  }

  logGroup(name: string): LogGroup {
    return new LogGroup(this, name, {
      encryptionKey: this.#logsKey,
      retention: this.#retention,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  #newKey(name: string, description: string): Key {
    return new Key(this, name, { description, enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN });
  }
}
