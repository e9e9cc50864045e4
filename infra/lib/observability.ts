import { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { alarmRules, type AlarmRule, type ObservabilityProps } from './alarm-rules.ts';
import { addDashboard } from './dashboard.ts';
import type { Deployment } from './deployment.ts';
import { LogMetrics } from './metrics.ts';

/** Alarms that require an action, and one dashboard as a starting point. */
export class Observability extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, given: Deployment, props: ObservabilityProps) {
    super(scope, id);
    const logs = new LogMetrics(this, 'Logs', {
      namespace: `OnBehalf/${given.environment}`,
      logGroups: { Agent: props.logGroups.agent, SessionBinding: props.logGroups.sessionBinding },
    });
    this.topic = new Topic(this, 'Alarms', { masterKey: props.key, enforceSSL: true });
    this.#letAlarmsPublish(props.key);
    if (given.alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(given.alarmEmail));
    for (const [name, rule] of Object.entries(alarmRules(given, props, logs))) this.#alarm(name, rule);
    addDashboard(this, given, props, logs);
  }

  #alarm(name: string, { metric, threshold, minutes = 1, below, missingIsBreach, why }: AlarmRule): void {
    const alarm = new Alarm(this, name, {
      metric,
      threshold,
      evaluationPeriods: minutes,
      alarmDescription: `${why} docs/operations.md, "${name}".`,
      comparisonOperator:
        below === true
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData:
        missingIsBreach === true ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
  }

  /** CloudWatch publishes to the topic itself, so the key and the policy of the topic must allow it. */
  #letAlarmsPublish(key: IKey): void {
    const principals = [new ServicePrincipal('cloudwatch.amazonaws.com')];
    const conditions = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } };
    const { topicArn } = this.topic;
    this.topic.addToResourcePolicy(
      new PolicyStatement({ principals, actions: ['sns:Publish'], resources: [topicArn], conditions }),
    );
    key.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions,
      }),
    );
  }
}
