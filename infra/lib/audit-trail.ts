import { Duration, Stack } from 'aws-cdk-lib';
import { Metric, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnSubscriptionFilter, LogStream, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Bucket, BucketEncryption, ObjectLockRetention, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { KEPT, WRITTEN_AT_ONCE } from './storage.ts';

const FAILED_PREFIX = 'failed/';
/** The lock of a version ends after its own days. The lifecycle deletes the version one day later. */
const AFTER_LOCK_DAYS = 1;

/**
 * Copies the audit lines of both roles into a bucket where nobody can change them. Lines that cannot be delivered are
 * counted.
 */
export class AuditTrail extends Construct {
  readonly bucket: Bucket;
  /** The age of the oldest undelivered line in seconds. It grows when the delivery fails. */
  readonly age: IMetric;
  /** Lines that CloudWatch Logs could not deliver. */
  readonly lost: readonly IMetric[];

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly given: Deployment['audit'];
      readonly key: IKey;
      readonly accessLogs: IBucket;
      readonly logGroups: readonly ILogGroup[];
      readonly deliveryLog: ILogGroup;
    },
  ) {
    super(scope, id);
    const { given, key, accessLogs, logGroups, deliveryLog } = props;
    this.bucket = this.#newBucket(given, key, accessLogs);
    const writer = this.#newWriter(key, deliveryLog);
    const log = new LogStream(this, 'DeliveryLog', {
      logGroup: deliveryLog,
      removalPolicy: KEPT,
    });
    const stream = new CfnDeliveryStream(this, 'Delivery', {
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'AWS_OWNED_CMK' },
      extendedS3DestinationConfiguration: {
        bucketArn: this.bucket.bucketArn,
        roleArn: writer.roleArn,
        prefix: 'lines/',
        errorOutputPrefix: FAILED_PREFIX,
        bufferingHints: { intervalInSeconds: 60, sizeInMBs: 5 },
        compressionFormat: 'UNCOMPRESSED',
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: deliveryLog.logGroupName,
          logStreamName: log.logStreamName,
        },
      },
    });
    stream.node.addDependency(policyOf(writer));
    const sender = this.#newSender(stream);
    this.lost = logGroups.map((logGroup, index) => {
      const filter = new CfnSubscriptionFilter(this, `Lines${String(index)}`, {
        logGroupName: logGroup.logGroupName,
        filterPattern: '{ $.stream = "audit" }',
        destinationArn: stream.attrArn,
        roleArn: sender.roleArn,
      });
      filter.node.addDependency(policyOf(sender));
      return new Metric({
        namespace: 'AWS/Logs',
        metricName: 'DeliveryErrors',
        dimensionsMap: {
          LogGroupName: logGroup.logGroupName,
          DestinationType: 'Firehose',
          FilterName: filter.ref,
        },
        statistic: 'Sum',
        period: Duration.minutes(5),
      });
    });
    this.age = new Metric({
      namespace: 'AWS/Firehose',
      metricName: 'DeliveryToS3.DataFreshness',
      dimensionsMap: { DeliveryStreamName: stream.ref },
      statistic: 'Maximum',
      period: Duration.minutes(5),
    });
  }

  #newBucket({ lock, days }: Deployment['audit'], key: IKey, accessLogs: IBucket): Bucket {
    const kept = Duration.days(days);
    return new Bucket(this, 'Bucket', {
      ...WRITTEN_AT_ONCE,
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      versioned: true,
      ...(lock === 'compliance' && { objectLockDefaultRetention: ObjectLockRetention.compliance(kept) }),
      ...(lock === 'governance' && { objectLockDefaultRetention: ObjectLockRetention.governance(kept) }),
      lifecycleRules: [
        {
          expiration: Duration.days(days + AFTER_LOCK_DAYS),
          noncurrentVersionExpiration: Duration.days(AFTER_LOCK_DAYS),
          abortIncompleteMultipartUploadAfter: Duration.days(AFTER_LOCK_DAYS),
        },
      ],
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'audit/',
    });
  }

  /** Only for the logs and streams of this account: a service must not act as this role for another account. */
  #onlyForUs(service: string): ServicePrincipal {
    const conditions = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } };
    return new ServicePrincipal(service, { conditions });
  }

  #newSender(stream: CfnDeliveryStream): Role {
    const sender = new Role(this, 'Sender', { assumedBy: this.#onlyForUs('logs.amazonaws.com') });
    sender.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['firehose:PutRecord', 'firehose:PutRecordBatch'],
        resources: [stream.attrArn],
      }),
    );
    return sender;
  }

  #newWriter(key: IKey, deliveryLog: ILogGroup): Role {
    const writer = new Role(this, 'Writer', { assumedBy: this.#onlyForUs('firehose.amazonaws.com') });
    // It may only add objects, neither read nor delete them.
    for (const [actions, resource] of [
      [['s3:PutObject', 's3:AbortMultipartUpload'], this.bucket.arnForObjects('*')],
      [['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], this.bucket.bucketArn],
      [['kms:GenerateDataKey', 'kms:Decrypt'], key.keyArn],
      [['logs:PutLogEvents'], deliveryLog.logGroupArn],
    ] as const) {
      writer.addToPrincipalPolicy(new PolicyStatement({ actions: [...actions], resources: [resource] }));
    }
    return writer;
  }
}

/** The policy of a role. It must exist before the role is used, and a reference to the role does not ensure that. */
function policyOf(role: Role): IConstruct {
  return role.node.findChild('DefaultPolicy');
}
