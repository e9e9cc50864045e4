import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Metric, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnSubscriptionFilter, LogStream, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectLockRetention,
  ObjectOwnership,
  type IBucket,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

const FAILED_PREFIX = 'failed/';
const KEPT_DAYS = 365;

/** The audit lines of both roles, copied into a bucket where nobody can change them; what cannot be delivered is counted. */
export class AuditTrail extends Construct {
  readonly bucket: Bucket;
  /** Seconds since the oldest line that has not arrived: it grows when the delivery fails. */
  readonly age: IMetric;
  /** Lines that CloudWatch Logs could not hand over at all. */
  readonly lost: readonly IMetric[];

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly key: IKey;
      readonly accessLogs: IBucket;
      readonly logGroups: readonly ILogGroup[];
      readonly deliveryLog: ILogGroup;
    },
  ) {
    super(scope, id);
    const { key, accessLogs, logGroups, deliveryLog } = props;
    this.bucket = this.#newBucket(key, accessLogs);
    const writer = this.#newWriter(key, deliveryLog);
    const log = new LogStream(this, 'DeliveryLog', {
      logGroup: deliveryLog,
      removalPolicy: RemovalPolicy.RETAIN,
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
    stream.node.addDependency(writer);
    const sender = this.#newSender(stream);
    this.lost = logGroups.map((logGroup, index) => {
      const filter = new CfnSubscriptionFilter(this, `Lines${String(index)}`, {
        logGroupName: logGroup.logGroupName,
        filterPattern: '{ $.stream = "audit" }',
        destinationArn: stream.attrArn,
        roleArn: sender.roleArn,
      });
      filter.node.addDependency(sender);
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

  #newBucket(key: IKey, accessLogs: IBucket): Bucket {
    return new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      versioned: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(KEPT_DAYS)),
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'audit/',
    });
  }

  #newSender(stream: CfnDeliveryStream): Role {
    const sender = new Role(this, 'Sender', { assumedBy: new ServicePrincipal('logs.amazonaws.com') });
    sender.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['firehose:PutRecord', 'firehose:PutRecordBatch'],
        resources: [stream.attrArn],
      }),
    );
    return sender;
  }

  #newWriter(key: IKey, deliveryLog: ILogGroup): Role {
    const writer = new Role(this, 'Writer', { assumedBy: new ServicePrincipal('firehose.amazonaws.com') });
    // It may add, and neither read nor delete.
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
