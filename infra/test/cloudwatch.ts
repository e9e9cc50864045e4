import type { Template } from 'aws-cdk-lib/assertions';

/** The values of one minute, by the names of their metrics; absent when no value was measured. */
export type Figures = Readonly<Record<string, number>>;

interface MetricFilter {
  readonly Properties: {
    readonly FilterPattern: string;
    readonly MetricTransformations: readonly { readonly MetricName: string; readonly MetricValue: string }[];
  };
}

export interface AlarmProperties {
  readonly MetricName?: string;
  readonly Metrics?: readonly { readonly Expression?: string }[];
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Threshold: number;
  readonly ComparisonOperator: 'LessThanThreshold' | 'GreaterThanOrEqualToThreshold';
  readonly TreatMissingData: 'breaching' | 'notBreaching';
}

/** The metrics that CloudWatch Logs would make of log lines with the metric filters of a template. */
export function figuresOf(template: Template, lines: readonly object[]): Figures {
  const filters = Object.values(
    template.findResources('AWS::Logs::MetricFilter') as Record<string, MetricFilter>,
  );
  const figures: Record<string, number> = {};
  // Each role has its own log group with a filter of the same pattern. Here, all lines are in one place.
  const byName = new Map(
    filters.map(({ Properties: { FilterPattern, MetricTransformations } }) => [
      MetricTransformations[0]?.MetricName ?? '',
      FilterPattern,
    ]),
  );
  for (const [name, pattern] of byName) figures[name] = lines.filter((line) => matches(pattern, line)).length;
  return figures;
}

/** Tells whether the values of a minute meet an alarm's condition. */
export function isMet(alarm: AlarmProperties, name: string, figures: Figures): boolean {
  const value = valueOf(alarm, name, figures);
  if (value === undefined) return alarm.TreatMissingData === 'breaching';
  return alarm.ComparisonOperator === 'LessThanThreshold'
    ? value < alarm.Threshold
    : value >= alarm.Threshold;
}

function valueOf(
  { MetricName, Metrics }: AlarmProperties,
  name: string,
  figures: Figures,
): number | undefined {
  const role = /(Agent|SessionBinding)$/.exec(name)?.[0] ?? '';
  const figure = (metric: string): number | undefined => figures[`${metric} ${role}`] ?? figures[metric];
  if (MetricName !== undefined) return figure(MetricName);
  const expression = Metrics?.find((each) => each.Expression !== undefined)?.Expression;
  if (expression !== 'desired - running') throw new Error(`Not understood: ${String(expression)}`);
  const [desired, running] = [figure('DesiredTaskCount'), figure('RunningTaskCount')];
  return desired === undefined || running === undefined ? undefined : desired - running;
}

/**
 * A filter pattern for JSON lines: comparisons of text by `=` or `!=`, joined by `&&`, `||` and parentheses.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function matches(pattern: string, line: object): boolean {
  const tokens = [...pattern.matchAll(/[(){}]|&&|\|\||\$\.\w+|!?=|"[^"]*"/g)].map(([token]) => token);
  let at = 0;
  const next = (): string => tokens[at++] ?? '';
  const comparison = (): boolean => {
    const field = next().slice(2);
    const operator = next();
    if (!operator.endsWith('=')) throw new Error(`Not understood: ${pattern}`);
    const isEqual = (line as Readonly<Record<string, unknown>>)[field] === next().slice(1, -1);
    return isEqual === (operator === '=');
  };
  const term = (): boolean => {
    if (tokens[at] !== '(') return comparison();
    at += 1;
    const inner = any();
    at += 1;
    return inner;
  };
  const all = (): boolean => {
    let holds = term();
    while (tokens[at] === '&&') {
      at += 1;
      holds = term() && holds;
    }
    return holds;
  };
  const any = (): boolean => {
    let holds = all();
    while (tokens[at] === '||') {
      at += 1;
      holds = all() || holds;
    }
    return holds;
  };
  at += 1;
  const holds = any();
  if (tokens[at] !== '}') throw new Error(`Not understood: ${pattern}`);
  return holds;
}
