import { Duration, Stack } from 'aws-cdk-lib';
import { MathExpression, Metric, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  HttpCodeElb,
  HttpCodeTarget,
  type ApplicationLoadBalancer,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { AuditTrail } from './audit-trail.ts';
import type { Deployment } from './deployment.ts';
import type { Firewall } from './firewall.ts';
import type { LogMetrics } from './metrics.ts';
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
export interface AlarmRule {
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

/** Every alarm of a deployment, by its name. */
export function alarmRules(
  given: Deployment,
  props: ObservabilityProps,
  logs: LogMetrics,
): Readonly<Record<string, AlarmRule>> {
  return {
    ...frontRules(props),
    ...roleRules(given, props),
    ...applicationRules(logs),
    ...bindingRules(props, logs),
    ...auditRules(props),
    ...quietRules(given, logs),
  };
}

function rule(metric: IMetric, threshold: number, minutes: number, why: string): AlarmRule {
  return { metric, threshold, minutes, why };
}

/** Alarms of the load balancer and the firewall. */
function frontRules({ loadBalancer, firewall }: ObservabilityProps): Readonly<Record<string, AlarmRule>> {
  const { metrics } = loadBalancer;
  const blocked = new Metric({
    namespace: 'AWS/WAFV2',
    metricName: 'BlockedRequests',
    dimensionsMap: { WebACL: firewall.metricName, Region: Stack.of(loadBalancer).region, Rule: 'ALL' },
    statistic: 'Sum',
    period: FIVE_MINUTES,
  });
  const sum = { period: MINUTE, statistic: 'Sum' };
  return {
    FrontErrors: rule(
      metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, sum),
      5,
      2,
      'The load balancer answers 5xx itself: no task answers it.',
    ),
    ServerErrors: rule(
      metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, sum),
      5,
      3,
      'Roles answer 5xx.',
    ),
    SignInErrors: rule(
      metrics.elbAuthError(sum),
      5,
      2,
      'The load balancer cannot sign users in: the identity provider, or the client’s secret.',
    ),
    Blocked: rule(blocked, 500, 1, 'The firewall refuses many requests: an attack, or a rule too many.'),
  };
}

/** Alarms for the number of tasks. */
function roleRules(given: Deployment, props: ObservabilityProps): Readonly<Record<string, AlarmRule>> {
  const rules = Object.entries(props.services).flatMap(([name, service]) => {
    const role = name === 'agent' ? 'Agent' : 'SessionBinding';
    const { minimum, maximum } = given[name as 'agent' | 'sessionBinding'];
    const { running, desired } = taskCounts(props, service);
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
    return [...each, [`Maximum${role}`, { metric: desired, threshold: maximum, minutes: 15, why }] as const];
  });
  return Object.fromEntries(rules);
}

/** Alarms from the logs of the roles. */
function applicationRules(logs: LogMetrics): Readonly<Record<string, AlarmRule>> {
  return {
    FailedRuns: rule(logs.sum('FailedRuns'), 5, 2, 'Runs end in an error that is not the user’s.'),
    StoreFailures: rule(logs.sum('StoreFailures'), 3, 2, 'S3 does not answer, or refuses.'),
    HiddenObjects: rule(
      logs.sum('HiddenObjects', FIVE_MINUTES),
      20,
      1,
      'Session binding may read nothing of the flow ledger, or somebody tries addresses.',
    ),
    IdentityFailures: rule(
      logs.sum('IdentityFailures'),
      3,
      2,
      'AgentCore Identity fails, or refuses the roles.',
    ),
    KeyFailures: rule(logs.sum('KeyFailures'), 3, 2, 'Signing keys cannot be fetched: nobody new gets in.'),
    Throttled: rule(logs.sum('Throttled'), 10, 3, 'The model or a limit of ours refuses runs.'),
  };
}

/** What becomes of bindings, consents and sign-ins. */
function bindingRules(
  { services }: ObservabilityProps,
  logs: LogMetrics,
): Readonly<Record<string, AlarmRule>> {
  const latency = services.sessionBinding.targetGroup.metrics.targetResponseTime({
    statistic: 'p99',
    period: FIVE_MINUTES,
  });
  return {
    BindingLatency: rule(latency, 3, 3, 'Session binding takes more than 3 s (p99).'),
    FailedBindings: rule(
      logs.sum('FailedBindings'),
      1,
      1,
      'An authorization could not be bound: permissions, or an outage.',
    ),
    RefusedBindings: rule(
      logs.sum('RefusedBindings'),
      20,
      1,
      'Many bindings are refused: an attack, or a consent that loops.',
    ),
    RefusedConsents: rule(
      logs.sum('RefusedConsents'),
      20,
      1,
      'Many connect links are refused: somebody spreads theirs.',
    ),
    RefusedSignIns: rule(
      logs.sum('RefusedSignIns'),
      100,
      1,
      'Somebody sends tokens that are not genuine straight to the tasks.',
    ),
  };
}

function auditRules({ auditTrail }: ObservabilityProps): Readonly<Record<string, AlarmRule>> {
  const { age, lost } = auditTrail;
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
function quietRules({ busyHours }: Deployment, logs: LogMetrics): Readonly<Record<string, AlarmRule>> {
  if (busyHours === undefined) return {};
  const hours = `HOUR(signIns) >= ${String(busyHours.from)} AND HOUR(signIns) < ${String(busyHours.to)}`;
  const metric = new MathExpression({
    expression: `IF(DAY(signIns) <= 5 AND ${hours}, FILL(signIns, 0), 1)`,
    usingMetrics: { signIns: logs.sum('SignIns', HOUR) },
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

function taskCounts(
  { clusterName }: ObservabilityProps,
  { service }: RoleService,
): { readonly running: IMetric; readonly desired: IMetric } {
  const count = (metricName: string): IMetric =>
    new Metric({
      namespace: 'ECS/ContainerInsights',
      metricName,
      dimensionsMap: { ClusterName: clusterName, ServiceName: service.serviceName },
      statistic: 'Average',
      period: MINUTE,
    });
  return { running: count('RunningTaskCount'), desired: count('DesiredTaskCount') };
}
