import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  MathExpression,
  Metric,
  TreatMissingData,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import {
  HttpCodeElb,
  HttpCodeTarget,
  type ApplicationLoadBalancer,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { AuditTrail } from './audit-trail.ts';
import type { Deployment } from './deployment.ts';
import type { Firewall } from './firewall.ts';
import { LogMetrics, RUN_ERROR_CODES } from './metrics.ts';
import type { RoleService } from './service.ts';

export interface ObservabilityProps {
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly firewall: Firewall;
  readonly clusterName: string;
  readonly services: Readonly<Record<'agent' | 'sessionBinding', RoleService>>;
  readonly logGroups: Readonly<Record<'agent' | 'sessionBinding', ILogGroup>>;
  readonly key: IKey;
  readonly auditTrail: AuditTrail;
}

/** The condition of an alarm. By default, missing data do not breach it. */
interface AlarmRule {
  readonly metric: IMetric;
  readonly threshold: number;
  readonly minutes?: number;
  readonly below?: true;
  /** For these metrics, missing data mean that no task runs. */
  readonly missingIsBreach?: true;
  readonly why: string;
}

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);
const HOUR = Duration.hours(1);

/** Alarms that require an action, and one dashboard as a starting point. */
export class Observability extends Construct {
  readonly topic: Topic;
  readonly #given: Deployment;
  readonly #props: ObservabilityProps;
  readonly #logs: LogMetrics;

  constructor(scope: Construct, id: string, given: Deployment, props: ObservabilityProps) {
    super(scope, id);
    this.#given = given;
    this.#props = props;
    this.#logs = new LogMetrics(this, 'Logs', {
      namespace: `OnBehalf/${given.environment}`,
      logGroups: { Agent: props.logGroups.agent, SessionBinding: props.logGroups.sessionBinding },
    });
    this.topic = new Topic(this, 'Alarms', { masterKey: props.key, enforceSSL: true });
    this.#letAlarmsPublish(props.key);
    if (given.alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(given.alarmEmail));
    const rules = {
      ...this.#front(),
      ...this.#roles(),
      ...this.#application(),
      ...this.#audit(),
      ...this.#quiet(),
    };
    for (const [name, rule] of Object.entries(rules)) this.#alarm(name, rule);
    this.#show();
  }

  /** Alarms of the load balancer and the firewall. */
  #front(): Readonly<Record<string, AlarmRule>> {
    const { loadBalancer, firewall } = this.#props;
    const { metrics } = loadBalancer;
    const blocked = new Metric({
      namespace: 'AWS/WAFV2',
      metricName: 'BlockedRequests',
      dimensionsMap: { WebACL: firewall.metricName, Region: Stack.of(this).region, Rule: 'ALL' },
      statistic: 'Sum',
      period: FIVE_MINUTES,
    });
    const sum = { period: MINUTE, statistic: 'Sum' };
    return {
      FrontErrors: {
        metric: metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, sum),
        threshold: 5,
        minutes: 2,
        why: 'The load balancer answers 5xx itself: no task answers it.',
      },
      ServerErrors: {
        metric: metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, sum),
        threshold: 5,
        minutes: 3,
        why: 'Roles answer 5xx.',
      },
      SignInErrors: {
        metric: metrics.elbAuthError(sum),
        threshold: 5,
        minutes: 2,
        why: 'The load balancer cannot sign users in: the identity provider, or the client’s secret.',
      },
      Blocked: {
        metric: blocked,
        threshold: 500,
        why: 'The firewall refuses many requests: an attack, or a rule too many.',
      },
    };
  }

  /** Alarms for the number of tasks. */
  #roles(): Readonly<Record<string, AlarmRule>> {
    const rules = Object.entries(this.#props.services).flatMap(([name, service]) => {
      const role = name === 'agent' ? 'Agent' : 'SessionBinding';
      const { minimum, maximum } = this.#given[name as 'agent' | 'sessionBinding'];
      const { running, desired } = this.#taskCounts(service);
      const missing = new MathExpression({
        expression: 'desired - running',
        usingMetrics: { desired, running },
        period: MINUTE,
      });
      const healthy = service.targetGroup.metrics.healthyHostCount({ period: MINUTE, statistic: 'Minimum' });
      const unhealthy = service.targetGroup.metrics.unhealthyHostCount({ period: MINUTE });
      const each: readonly (readonly [string, AlarmRule])[] = [
        [
          `None${role}`,
          {
            metric: healthy,
            threshold: 1,
            minutes: 2,
            below: true,
            missingIsBreach: true,
            why: `No ${name} task is healthy.`,
          },
        ],
        [
          `Unhealthy${role}`,
          { metric: unhealthy, threshold: 1, minutes: 3, why: `A ${name} task does not become healthy.` },
        ],
        [
          `Missing${role}`,
          { metric: missing, threshold: 1, minutes: 15, why: `Fewer ${name} tasks run than should.` },
        ],
      ];
      // If the number of tasks is fixed, it always equals the maximum.
      if (minimum === maximum) return each;
      const why = `No more ${name} tasks may be started.`;
      return [
        ...each,
        [`Maximum${role}`, { metric: desired, threshold: maximum, minutes: 15, why }] as const,
      ];
    });
    return Object.fromEntries(rules);
  }

  /** Alarms from the logs of the roles. */
  #application(): Readonly<Record<string, AlarmRule>> {
    const logs = this.#logs;
    const latency = this.#props.services.sessionBinding.targetGroup.metrics.targetResponseTime({
      statistic: 'p99',
      period: FIVE_MINUTES,
    });
    return {
      FailedRuns: {
        metric: logs.sum('FailedRuns'),
        threshold: 5,
        minutes: 2,
        why: 'Runs end in an error that is not the user’s.',
      },
      StoreFailures: {
        metric: logs.sum('StoreFailures'),
        threshold: 3,
        minutes: 2,
        why: 'S3 does not answer, or refuses.',
      },
      HiddenObjects: {
        metric: logs.sum('HiddenObjects', FIVE_MINUTES),
        threshold: 20,
        why: 'Session binding may read nothing of the flow ledger, or somebody tries addresses.',
      },
      IdentityFailures: {
        metric: logs.sum('IdentityFailures'),
        threshold: 3,
        minutes: 2,
        why: 'AgentCore Identity fails, or refuses the roles.',
      },
      KeyFailures: {
        metric: logs.sum('KeyFailures'),
        threshold: 3,
        minutes: 2,
        why: 'Signing keys cannot be fetched: nobody new gets in.',
      },
      Throttled: {
        metric: logs.sum('Throttled'),
        threshold: 10,
        minutes: 3,
        why: 'The model or a limit of ours refuses runs.',
      },
      BindingLatency: {
        metric: latency,
        threshold: 3,
        minutes: 3,
        why: 'Session binding takes more than 3 s (p99).',
      },
      FailedBindings: {
        metric: logs.sum('FailedBindings'),
        threshold: 1,
        why: 'An authorization could not be bound: permissions, or an outage.',
      },
      RefusedBindings: {
        metric: logs.sum('RefusedBindings'),
        threshold: 20,
        why: 'Many bindings are refused: an attack, or a consent that loops.',
      },
      RefusedConsents: {
        metric: logs.sum('RefusedConsents'),
        threshold: 20,
        why: 'Many connect links are refused: somebody spreads theirs.',
      },
      RefusedSignIns: {
        metric: logs.sum('RefusedSignIns'),
        threshold: 100,
        why: 'Somebody sends tokens that are not genuine straight to the tasks.',
      },
    };
  }

  #audit(): Readonly<Record<string, AlarmRule>> {
    const { age, lost } = this.#props.auditTrail;
    const losses = lost.map((metric, index): readonly [string, AlarmRule] => [
      `AuditLost${String(index)}`,
      { metric, threshold: 1, why: 'Audit lines could not be handed over.' },
    ]);
    const delayed: AlarmRule = {
      metric: age,
      threshold: 900,
      why: 'Audit lines do not reach their bucket for 15 minutes.',
    };
    return { AuditDelayed: delayed, ...Object.fromEntries(losses) };
  }

  /**
   * An alarm when nobody signs in during hours of working days in which somebody always does. Then a part in front of the
   * application is broken.
   */
  #quiet(): Readonly<Record<string, AlarmRule>> {
    const { busyHours } = this.#given;
    if (busyHours === undefined) return {};
    const hours = `HOUR(signIns) >= ${String(busyHours.from)} AND HOUR(signIns) < ${String(busyHours.to)}`;
    const metric = new MathExpression({
      expression: `IF(DAY(signIns) <= 5 AND ${hours}, FILL(signIns, 0), 1)`,
      usingMetrics: { signIns: this.#logs.sum('SignIns', HOUR) },
      period: HOUR,
    });
    return {
      Quiet: {
        metric,
        threshold: 1,
        below: true,
        why: 'Nobody has signed in for an hour in which somebody always does.',
      },
    };
  }

  #taskCounts({ service }: RoleService): { readonly running: IMetric; readonly desired: IMetric } {
    const count = (metricName: string): IMetric =>
      new Metric({
        namespace: 'ECS/ContainerInsights',
        metricName,
        dimensionsMap: { ClusterName: this.#props.clusterName, ServiceName: service.serviceName },
        statistic: 'Average',
        period: MINUTE,
      });
    return { running: count('RunningTaskCount'), desired: count('DesiredTaskCount') };
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

  #show(): void {
    const { loadBalancer, services } = this.#props;
    const { agent, sessionBinding } = services;
    const { metrics } = loadBalancer;
    const sum = { period: MINUTE, statistic: 'Sum' };
    new Dashboard(this, 'Dashboard', {
      // Dashboards belong to the account, not to a region.
      dashboardName: `OnBehalf-${this.#given.environment}-${this.#given.region}`,
      widgets: [
        [
          graph('Requests and errors', [
            metrics.requestCount(sum),
            metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, sum),
            metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, sum),
            metrics.elbAuthError(sum),
          ]),
          graph('Healthy tasks', [
            agent.targetGroup.metrics.healthyHostCount({ period: MINUTE }),
            sessionBinding.targetGroup.metrics.healthyHostCount({ period: MINUTE }),
          ]),
        ],
        [
          graph(
            'Runs that end in an error, by code',
            RUN_ERROR_CODES.map((code) => this.#logs.runErrors(code)),
          ),
          graph('Bindings and consents', [
            this.#logs.sum('RefusedBindings'),
            this.#logs.sum('FailedBindings'),
            this.#logs.sum('RefusedConsents'),
          ]),
        ],
        [
          graph('Store, identity, keys', [
            this.#logs.sum('StoreFailures'),
            this.#logs.sum('IdentityFailures'),
            this.#logs.sum('KeyFailures'),
          ]),
          graph('CPU', [agent.service.metricCpuUtilization(), sessionBinding.service.metricCpuUtilization()]),
        ],
        [
          graph('Sign-ins', [this.#logs.sum('SignIns'), this.#logs.sum('RefusedSignIns')]),
          graph('Connections', [metrics.activeConnectionCount(sum)]),
        ],
      ],
    });
  }
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 12 });
}
