import { Duration } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Construct } from 'constructs';
import type { ObservabilityProps } from './alarm-rules.ts';
import type { Deployment } from './deployment.ts';
import { RUN_ERROR_CODES, type LogMetrics } from './metrics.ts';

const MINUTE = Duration.minutes(1);

/** One dashboard to begin with. */
export function addDashboard(
  scope: Construct,
  given: Deployment,
  { loadBalancer, services }: ObservabilityProps,
  logs: LogMetrics,
): void {
  const { agent, sessionBinding } = services;
  const { metrics } = loadBalancer;
  const sum = { period: MINUTE, statistic: 'Sum' };
  new Dashboard(scope, 'Dashboard', {
    // Dashboards belong to the account, not to a region.
    dashboardName: `OnBehalf-${given.environment}-${given.region}`,
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
          RUN_ERROR_CODES.map((code) => logs.runErrors(code)),
        ),
        graph('Bindings and consents', [
          logs.sum('RefusedBindings'),
          logs.sum('FailedBindings'),
          logs.sum('RefusedConsents'),
        ]),
      ],
      [
        graph('Store, identity, keys', [
          logs.sum('StoreFailures'),
          logs.sum('IdentityFailures'),
          logs.sum('KeyFailures'),
        ]),
        graph('CPU', [agent.service.metricCpuUtilization(), sessionBinding.service.metricCpuUtilization()]),
      ],
      [
        graph('Sign-ins', [logs.sum('SignIns'), logs.sum('RefusedSignIns')]),
        graph('Connections', [metrics.activeConnectionCount(sum)]),
      ],
    ],
  });
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 12 });
}
