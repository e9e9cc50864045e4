import { Duration } from 'aws-cdk-lib';
import { Metric, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, MetricFilter, type IFilterPattern, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

const MINUTE = Duration.minutes(1);

/**
 * Codes of RUN_ERROR that the user did not cause: docs/errors.md. RUN_ERROR is part of an answer with the status 200, so the
 * load balancer does not count it.
 */
const FAILED_RUNS = [
  'internal_error',
  'model_unavailable',
  'model_rejected',
  'model_misconfigured',
  'model_invalid',
  'identity_unavailable',
  'identity_misconfigured',
  'sessions_unavailable',
  'flows_unavailable',
  'run_timeout',
];

/**
 * The metrics from the logs of the roles: the name of each metric, and the lines that it counts. docs/operations.md explains
 * each.
 */
const COUNTED = {
  FailedRuns: FilterPattern.all(
    event('run_failed'),
    FilterPattern.any(...FAILED_RUNS.map((code) => FilterPattern.stringValue('$.code', '=', code))),
  ),
  Throttled: FilterPattern.any(
    FilterPattern.stringValue('$.code', '=', 'model_throttled'),
    FilterPattern.stringValue('$.code', '=', 'too_many_runs'),
    FilterPattern.stringValue('$.code', '=', 'overloaded'),
  ),
  StoreFailures: FilterPattern.any(
    event('sessions_call_failed'),
    event('flow_ledger_failed'),
    event('flow_unreadable'),
  ),
  HiddenObjects: event('object_hidden'),
  IdentityFailures: event('identity_call_failed'),
  // This counts every request that could not be checked, because many requests may wait for one fetch from the key host.
  KeyFailures: FilterPattern.stringValue('$.code', '=', 'sign_in_keys_unavailable'),
  RefusedConsents: audit('consent_refused'),
  RefusedBindings: audit('binding_refused'),
  FailedBindings: audit('binding_failed'),
  RefusedSignIns: FilterPattern.all(
    audit('sign_in_refused'),
    FilterPattern.stringValue('$.code', '!=', 'sign_in_keys_unavailable'),
  ),
  SignIns: audit('signed_in'),
} as const satisfies Readonly<Record<string, IFilterPattern>>;

export type CountedName = keyof typeof COUNTED;

/** Makes metrics of the log lines of both roles: each name counts the lines of both. */
export class LogMetrics extends Construct {
  readonly #namespace: string;

  constructor(
    scope: Construct,
    id: string,
    {
      namespace,
      logGroups,
    }: { readonly namespace: string; readonly logGroups: Readonly<Record<string, ILogGroup>> },
  ) {
    super(scope, id);
    this.#namespace = namespace;
    for (const [metricName, filterPattern] of Object.entries(COUNTED)) {
      for (const [role, logGroup] of Object.entries(logGroups)) {
        new MetricFilter(this, `${metricName}${role}`, {
          logGroup,
          metricNamespace: namespace,
          metricName,
          filterPattern,
          metricValue: '1',
          defaultValue: 0,
        });
      }
    }
    // A metric for each code, so that the dashboard shows the kind of failure.
    for (const [role, logGroup] of Object.entries(logGroups)) {
      new MetricFilter(this, `RunErrors${role}`, {
        logGroup,
        metricNamespace: namespace,
        metricName: 'RunErrors',
        filterPattern: event('run_failed'),
        metricValue: '1',
        dimensions: { Code: '$.code' },
      });
    }
  }

  sum(metricName: CountedName, period = MINUTE): IMetric {
    return new Metric({ namespace: this.#namespace, metricName, statistic: 'Sum', period });
  }

  runErrors(code: string): IMetric {
    const dimensionsMap = { Code: code };
    return new Metric({
      namespace: this.#namespace,
      metricName: 'RunErrors',
      dimensionsMap,
      statistic: 'Sum',
      period: MINUTE,
    });
  }
}

export const RUN_ERROR_CODES: readonly string[] = FAILED_RUNS;

function event(name: string): ReturnType<typeof FilterPattern.stringValue> {
  return FilterPattern.stringValue('$.event', '=', name);
}

function audit(name: string): ReturnType<typeof FilterPattern.all> {
  return FilterPattern.all(FilterPattern.stringValue('$.stream', '=', 'audit'), event(name));
}
