import { endpointsOf, vendorOf } from './credential-provider.ts';
import type { Deployment } from './deployment.ts';

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size, in MiB. */
const FARGATE_MEMORY: Readonly<
  Record<number, { readonly from: number; readonly to: number; readonly step: number }>
> = {
  256: { from: 512, to: 2_048, step: 512 },
  512: { from: 1_024, to: 4_096, step: 1_024 },
  1024: { from: 2_048, to: 8_192, step: 1_024 },
  2048: { from: 4_096, to: 16_384, step: 1_024 },
  4096: { from: 8_192, to: 30_720, step: 1_024 },
};

/** Faults between members that are each valid: the place of the fault, and what to write instead. */
export function contradictions(given: Deployment): readonly (readonly [path: string, sentence: string])[] {
  const { domain, sessions, network: net, oidc } = given;
  const found: (readonly [string, string])[] = [];
  if (domain.hostedZone === undefined && domain.certificateArn === undefined)
    found.push(['domain', 'needs hostedZone or certificateArn']);
  if ((sessions.bucketName === undefined) !== (sessions.keyArn === undefined))
    found.push(['sessions', 'needs bucketName and keyArn together']);
  for (const each of net.availabilityZones.filter((name) => !name.startsWith(given.region)))
    found.push(['network.availabilityZones', `${each} is not a zone of ${given.region}`]);
  if ('cidr' in net) {
    for (const each of (net.agentCoreZones ?? []).filter((name) => !net.availabilityZones.includes(name)))
      found.push(['network.agentCoreZones', `${each} is not among availabilityZones`]);
  }
  if (given.busyHours !== undefined && given.busyHours.to <= given.busyHours.from)
    found.push(['busyHours.to', 'must be after from; both are hours of one day, UTC']);
  if (!oidc.scope.split(' ').includes('openid')) found.push(['oidc.scope', 'must contain openid']);
  if (given.agent.runsPerTask > given.limits.runsPerTask)
    found.push(['agent.runsPerTask', 'must be at most limits.runsPerTask: a task refuses more']);
  for (const name of Object.keys(given.tags)) {
    if (name.startsWith('aws:')) found.push([`tags.${name}`, 'the prefix aws: is reserved for AWS']);
    if (name === 'application' || name === 'environment')
      found.push([`tags.${name}`, 'is set by the deployment itself']);
  }
  return [
    ...found,
    ...taskContradictions(given),
    ...placeContradictions(given),
    ...networkContradictions(net),
    ...modelContradictions(given),
    ...providerContradictions(given),
  ];
}

/** The sizes and the numbers of tasks. */
function taskContradictions(given: Deployment): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const role of ['agent', 'sessionBinding'] as const) {
    const { cpu, memoryMiB, minimum, maximum } = given[role];
    if (maximum < minimum) found.push([`${role}.maximum`, 'must not be below minimum']);
    const sizes = FARGATE_MEMORY[cpu];
    if (sizes === undefined) continue;
    const { from, to, step } = sizes;
    if (memoryMiB < from || memoryMiB > to || (memoryMiB - from) % step !== 0) {
      const range = `${String(from)} to ${String(to)} in steps of ${String(step)}`;
      found.push([
        `${role}.memoryMiB`,
        `Fargate takes ${range} with ${String(cpu)} CPU units, and not ${String(memoryMiB)}`,
      ]);
    }
  }
  return found;
}

/** Faults of members that must be in the region of the tasks, or of one domain. */
function placeContradictions({
  region,
  domain,
  sessions,
}: Deployment): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  const arns = { 'domain.certificateArn': domain.certificateArn, 'sessions.keyArn': sessions.keyArn };
  for (const [path, arn] of Object.entries(arns)) {
    const its = arn?.split(':')[3] ?? region;
    if (its !== region) found.push([path, `is of ${its}; it must be of ${region}, where the tasks are`]);
  }
  const zone = domain.hostedZone?.name;
  if (zone !== undefined && domain.name !== zone && !domain.name.endsWith(`.${zone}`))
    found.push(['domain.hostedZone.name', `${domain.name} is not in the zone ${zone}`]);
  return found;
}

function networkContradictions(net: Deployment['network']): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  const zones = net.availabilityZones.length;
  if (new Set(net.availabilityZones).size < zones)
    found.push(['network.availabilityZones', 'names a zone twice']);
  if ('cidr' in net) {
    const [address = '', length = ''] = net.cidr.split('/');
    if (address.split('.').some((part) => Number(part) > 255) || Number(length) < 16 || Number(length) > 28)
      found.push(['network.cidr', 'must be an IPv4 range of /16 to /28: numbers to 255']);
    // A /22 of tasks and a /24 that is public in each zone.
    else if (2 ** (32 - Number(length)) < zones * (1_024 + 256))
      found.push([
        'network.cidr',
        `is too small for ${String(zones)} zones: write /${zones > 3 ? '18' : '20'} or wider`,
      ]);
    return found;
  }
  for (const name of ['publicSubnetIds', 'privateSubnetIds'] as const)
    if (net[name].length % zones !== 0)
      found.push([`network.${name}`, `must have as many subnets for each of the ${String(zones)} zones`]);
  return found;
}

function modelContradictions({
  region,
  model: { inferenceProfileId, foundationModelId },
}: Deployment): readonly (readonly [string, string])[] {
  if (inferenceProfileId.startsWith('arn:')) return [];
  const [geography = ''] = inferenceProfileId.split('.');
  const behind = inferenceProfileId.slice(geography.length + 1);
  const found: (readonly [string, string])[] = [];
  if (behind !== foundationModelId)
    found.push([
      'model.foundationModelId',
      `does not fit the profile ${inferenceProfileId}: write ${behind}`,
    ]);
  // The other geographies are part of these or contain all of them.
  const regions = { us: /^(us|ca)-/, eu: /^eu-/, apac: /^ap-/ }[geography];
  if (regions?.test(region) === false)
    found.push(['model.inferenceProfileId', `${geography}. profiles cannot be called from ${region}`]);
  return found;
}

function providerContradictions({ providers }: Deployment): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const [index, provider] of providers.entries()) {
    const { id, apiBase } = provider;
    const place = `providers.${String(index)}`;
    if (providers.findIndex((each) => each.id === id) < index) found.push([`${place}.id`, 'occurs twice']);
    const vendor = vendorOf(provider);
    if (vendor === undefined) found.push([`${place}.vendor`, 'is needed for every provider but github']);
    const isCustom = vendor === 'CustomOauth2';
    if (isCustom && endpointsOf(provider) === undefined)
      found.push([`${place}.endpoints`, 'is needed for the vendor CustomOauth2']);
    if (!isCustom && provider.endpoints !== undefined)
      found.push([`${place}.endpoints`, 'is only for the vendor CustomOauth2']);
    if (id === 'github' && apiBase !== undefined && !isGitHubApi(new URL(apiBase)))
      found.push([
        `${place}.apiBase`,
        'must be https://HOST/api/v3 of a GitHub Enterprise Server; ghe.com is not supported',
      ]);
  }
  return found;
}

function isGitHubApi({ origin, pathname }: URL): boolean {
  return origin === 'https://api.github.com' || pathname.replace(/\/$/, '') === '/api/v3';
}
