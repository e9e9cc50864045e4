import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  Metric,
  TreatMissingData,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { HttpCodeTarget, type ApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, MetricFilter, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { AuditTrail } from './audit-trail.ts';
import type { Deployment } from './deployment.ts';
import type { RoleService } from './service.ts';

export interface ObservabilityProps {
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly services: Readonly<Record<'agent' | 'sessionBinding', RoleService>>;
  readonly logGroups: Readonly<Record<'agent' | 'sessionBinding', ILogGroup>>;
  readonly key: IKey;
  readonly auditTrail: AuditTrail;
}

const MINUTE = Duration.minutes(1);

/** Alarms that somebody must act on, and one dashboard to begin with. */
export class Observability extends Construct {
  readonly topic: Topic;
  readonly #namespace: string;

  constructor(
    scope: Construct,
    id: string,
    given: Deployment,
    { loadBalancer, services, logGroups, key, auditTrail }: ObservabilityProps,
  ) {
    super(scope, id);
    this.#namespace = `OnBehalf/${given.environment}`;
    this.topic = new Topic(this, 'Alarms', { masterKey: key, enforceSSL: true });
    this.#letAlarmsPublish(key);
    if (given.alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(given.alarmEmail));
    const { agent, sessionBinding } = services;
    const throttled = this.#counted(
      'Throttled',
      logGroups.agent,
      FilterPattern.any(
        FilterPattern.stringValue('$.code', '=', 'model_throttled'),
        FilterPattern.stringValue('$.code', '=', 'too_many_runs'),
      ),
    );
    const refused = this.#counted('RefusedBindings', logGroups.sessionBinding, audit('binding_refused'));
    const failed = this.#counted('FailedBindings', logGroups.sessionBinding, audit('binding_failed'));
    const signIns = this.#counted('RefusedSignIns', logGroups.agent, audit('sign_in_refused'));
    this.#counted('RefusedSignIns', logGroups.sessionBinding, audit('sign_in_refused'), 'AtBinding');
    const errors = loadBalancer.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { period: MINUTE });
    const latency = sessionBinding.targetGroup.metrics.targetResponseTime({
      statistic: 'p99',
      period: Duration.minutes(5),
    });
    const unhealthy = [agent, sessionBinding].map(({ targetGroup }) =>
      targetGroup.metrics.unhealthyHostCount({ period: MINUTE }),
    );
    this.#alarm('ServerErrors', errors, 5, 3, 'Roles answer 5xx. docs/operations.md, "5xx".');
    this.#alarm('BindingLatency', latency, 3, 3, 'Session binding takes more than 3 s (p99).');
    this.#alarm('UnhealthyAgent', unhealthy[0], 1, 3, 'An agent task does not become healthy.');
    this.#alarm(
      'UnhealthySessionBinding',
      unhealthy[1],
      1,
      3,
      'A session-binding task does not become healthy.',
    );
    this.#alarm('Throttled', throttled, 10, 3, 'The model or a user limit refuses runs.');
    this.#alarm(
      'RefusedBindings',
      refused,
      20,
      1,
      'Many bindings are refused: an attack, or a consent that loops.',
    );
    this.#alarm(
      'FailedBindings',
      failed,
      1,
      1,
      'AgentCore Identity does not bind: permissions, or an outage.',
    );
    this.#alarm(
      'RefusedSignIns',
      signIns,
      100,
      1,
      'Somebody sends tokens that are not genuine straight to the tasks.',
    );
    this.#watchAudit(auditTrail);
    this.#show(given, loadBalancer, services, { errors, latency, refused, failed, signIns, throttled });
  }

  /** CloudWatch publishes by itself, and the topic's key and policy know nobody else by default. */
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

  #watchAudit(auditTrail: AuditTrail): void {
    this.#alarm(
      'AuditDelayed',
      auditTrail.age,
      900,
      1,
      'Audit lines do not reach their bucket for 15 minutes.',
    );
    for (const [index, lost] of auditTrail.lost.entries())
      this.#alarm(`AuditLost${String(index)}`, lost, 1, 1, 'Audit lines could not be handed over.');
  }

  #show(
    given: Deployment,
    loadBalancer: ApplicationLoadBalancer,
    { agent, sessionBinding }: ObservabilityProps['services'],
    metrics: Readonly<Record<'errors' | 'latency' | 'refused' | 'failed' | 'signIns' | 'throttled', IMetric>>,
  ): void {
    const { errors, latency, refused, failed, signIns, throttled } = metrics;
    const running = new Metric({
      namespace: 'AWS/ApplicationELB',
      metricName: 'ActiveConnectionCount',
      dimensionsMap: { LoadBalancer: loadBalancer.loadBalancerFullName },
      statistic: 'Sum',
      period: MINUTE,
    });
    new Dashboard(this, 'Dashboard', {
      dashboardName: `OnBehalf-${given.environment}`,
      widgets: [
        [
          graph('Requests and errors', [loadBalancer.metrics.requestCount({ period: MINUTE }), errors]),
          graph('Connections', [running]),
        ],
        [graph('Bindings', [refused, failed]), graph('Refused sign-ins and throttles', [signIns, throttled])],
        [
          graph('Latency of session binding, p99', [latency]),
          graph('CPU', [agent.service.metricCpuUtilization(), sessionBinding.service.metricCpuUtilization()]),
        ],
      ],
    });
  }

  /** Lines of a log, counted. */
  #counted(
    metricName: string,
    logGroup: ILogGroup,
    filterPattern: ReturnType<typeof audit>,
    where = '',
  ): IMetric {
    const filter = new MetricFilter(this, `${metricName}${where}Filter`, {
      logGroup,
      metricNamespace: this.#namespace,
      metricName,
      filterPattern,
      metricValue: '1',
      defaultValue: 0,
    });
    return filter.metric({ statistic: 'Sum', period: MINUTE });
  }

  #alarm(
    name: string,
    metric: IMetric | undefined,
    threshold: number,
    evaluationPeriods: number,
    alarmDescription: string,
  ): void {
    if (metric === undefined) return;
    const alarm = new Alarm(this, name, {
      metric,
      threshold,
      evaluationPeriods,
      alarmDescription,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
  }
}

function audit(event: string): ReturnType<typeof FilterPattern.all> {
  return FilterPattern.all(
    FilterPattern.stringValue('$.stream', '=', 'audit'),
    FilterPattern.stringValue('$.event', '=', event),
  );
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 12 });
}
