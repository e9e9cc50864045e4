import { readFileSync } from 'node:fs';
import type { MeasuredTurn } from '../../local/measure-turn.ts';
import type { Deployment } from '../lib/deployment.ts';

interface Prices {
  readonly region: string;
  readonly asOf: string;
  readonly hoursPerMonth: number;
  readonly sources: Readonly<Record<string, string>>;
  readonly perHour: Readonly<
    Record<
      | 'fargateArmVcpu'
      | 'fargateArmGb'
      | 'natGateway'
      | 'publicIpv4'
      | 'interfaceEndpointZone'
      | 'loadBalancer',
      number
    >
  >;
  readonly perMonth: Readonly<
    Record<'wafAcl' | 'wafRule' | 'kmsKey' | 'secret' | 'alarm' | 'dashboard' | 'customMetric', number>
  >;
  readonly perThousand: Readonly<Record<'s3Put' | 's3Get' | 'agentCoreIdentityToken', number>>;
  readonly perGb: { readonly logs: number };
  readonly perMillionTokens: { readonly input: number; readonly output: number };
  readonly assumedTokensPerModelCall: { readonly input: number; readonly output: number };
}

/** US dollars, without taxes and free tiers. */
export interface Line {
  readonly what: string;
  readonly quantity: string;
  readonly usd: number;
  /** The source of the price. */
  readonly source: string;
}

export type Resources = Readonly<
  Record<string, { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }>
>;

export const PRICES = JSON.parse(readFileSync(`${import.meta.dirname}/prices.json`, 'utf8')) as Prices;

/** The cost of a deployment in a month without users, from the resources of its template. */
export function monthAtRest(resources: Resources, given: Deployment): readonly Line[] {
  const { perHour, perMonth, hoursPerMonth, sources } = PRICES;
  const ofType = (type: string): readonly Readonly<Record<string, unknown>>[] =>
    Object.values(resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties] : []));
  const tasks = [given.agent, given.sessionBinding];
  const vcpus = sum(tasks.map(({ minimum, cpu }) => (minimum * cpu) / 1024));
  const memory = sum(tasks.map(({ minimum, memoryMiB }) => (minimum * memoryMiB) / 1024));
  const nats = ofType('AWS::EC2::NatGateway').length;
  const interfaces = ofType('AWS::EC2::VPCEndpoint').filter((each) => each.VpcEndpointType === 'Interface');
  const zones = sum(interfaces.map(({ SubnetIds }) => (SubnetIds as unknown[]).length));
  const balancers = ofType('AWS::ElasticLoadBalancingV2::LoadBalancer');
  const addresses = nats + sum(balancers.map(({ Subnets }) => (Subnets as unknown[]).length));
  const rules = sum(ofType('AWS::WAFv2::WebACL').map(({ Rules }) => (Rules as unknown[]).length));
  const month = (perHourEach: number, count: number): number => perHourEach * count * hoursPerMonth;
  const line = (what: string, quantity: string, usd: number, source: string): Line => ({
    what,
    quantity,
    usd,
    source: sources[source] ?? '',
  });
  const keys = ofType('AWS::KMS::Key').length;
  const alarms = ofType('AWS::CloudWatch::Alarm').length;
  const metrics = ofType('AWS::Logs::MetricFilter').length;
  const secrets = ofType('AWS::SecretsManager::Secret').length + 2;
  return [
    line(
      'Fargate, the smallest number of tasks',
      `${String(vcpus)} vCPU, ${String(memory)} GB`,
      month(perHour.fargateArmVcpu, vcpus) + month(perHour.fargateArmGb, memory),
      'fargate',
    ),
    line(
      'Interface endpoints',
      `${String(interfaces.length)}, in all zones`,
      month(perHour.interfaceEndpointZone, zones),
      'privateLink',
    ),
    line('NAT gateways', String(nats), month(perHour.natGateway, nats), 'vpc'),
    line(
      'Load balancer',
      String(balancers.length),
      month(perHour.loadBalancer, balancers.length),
      'loadBalancer',
    ),
    line('Public IPv4 addresses', String(addresses), month(perHour.publicIpv4, addresses), 'vpc'),
    line('Firewall', `${String(rules)} rules`, perMonth.wafAcl + rules * perMonth.wafRule, 'waf'),
    line(
      'Alarms, dashboard, metrics of our own',
      `${String(alarms)}, 1, ${String(metrics)}`,
      alarms * perMonth.alarm + perMonth.dashboard + metrics * perMonth.customMetric,
      'cloudWatch',
    ),
    line('KMS keys', String(keys), keys * perMonth.kmsKey, 'kms'),
    line('Secrets, the two that you bring included', String(secrets), secrets * perMonth.secret, 'secrets'),
  ];
}

/**
 * The additional cost of 1,000 turns with a tool call. The number of tokens is an assumption; everything else was counted.
 */
export function thousandTurns(turn: MeasuredTurn): readonly Line[] {
  const { perThousand, perGb, perMillionTokens, assumedTokensPerModelCall: tokens, sources } = PRICES;
  const calls = turn.modelCalls * 1000;
  const count = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 });
  return [
    {
      what: 'Model, Claude Sonnet 4.5 by a geographic inference profile',
      quantity: `${count(turn.modelCalls)} calls a turn, assumed to be ${count(tokens.input)} tokens in and ${count(tokens.output)} out`,
      usd: (calls / 1e6) * (tokens.input * perMillionTokens.input + tokens.output * perMillionTokens.output),
      source: sources.bedrock ?? '',
    },
    {
      what: 'Conversations in S3',
      quantity: `${count(turn.s3Puts)} writes and ${count(turn.s3Gets)} reads a turn`,
      usd: turn.s3Puts * perThousand.s3Put + turn.s3Gets * perThousand.s3Get,
      source: sources.s3 ?? '',
    },
    {
      what: 'AgentCore Identity',
      quantity: `${count(turn.identityTokens)} provider tokens a turn`,
      usd: turn.identityTokens * perThousand.agentCoreIdentityToken,
      source: sources.agentCore ?? '',
    },
    {
      what: 'Logs and audit trail',
      quantity: `${count(turn.logBytes / 1024)} KiB a turn`,
      usd: ((turn.logBytes * 1000) / 1024 ** 3) * perGb.logs,
      source: sources.cloudWatch ?? '',
    },
  ];
}

/** A table in Markdown, with its sum. */
export function tableOf(lines: readonly Line[]): string {
  const rows = lines.map(
    ({ what, quantity, usd, source }) =>
      `| ${what} | ${quantity} | ${usd.toFixed(2)} | [prices](${source}) |`,
  );
  const total = `| **together** | | **${sum(lines.map(({ usd }) => usd)).toFixed(2)}** | |`;
  return ['| what | how much | USD | source |', '|---|---|---|---|', ...rows, total].join('\n');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
