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

/** What each member is right by itself, and wrong together: where, and what to write instead. */
export function contradictions(given: Deployment): readonly (readonly [path: string, sentence: string])[] {
  const { domain, sessions, network: net, oidc } = given;
  const found: (readonly [string, string])[] = [];
  if (domain.hostedZone === undefined && domain.certificateArn === undefined)
    found.push(['domain', 'needs hostedZone or certificateArn']);
  if ((sessions.bucketName === undefined) !== (sessions.keyArn === undefined))
    found.push(['sessions', 'needs bucketName and keyArn together']);
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
  for (const each of net.availabilityZones.filter((name) => !name.startsWith(given.region)))
    found.push(['network.availabilityZones', `${each} is not a zone of ${given.region}`]);
  if ('cidr' in net) {
    for (const each of (net.agentCoreZones ?? []).filter((name) => !net.availabilityZones.includes(name)))
      found.push(['network.agentCoreZones', `${each} is not among availabilityZones`]);
  }
  if (given.busyHours !== undefined && given.busyHours.to < given.busyHours.from)
    found.push(['busyHours.to', 'must not be before from; both are hours of one day, UTC']);
  if (
    oidc.provider.kind === 'custom' &&
    given.workloadTokenSource === 'jwt' &&
    !oidc.scope.includes('openid')
  )
    found.push(['oidc.scope', 'must contain openid']);
  return [...found, ...modelContradictions(given.model)];
}

function modelContradictions({
  inferenceProfileId,
  foundationModelId,
}: Deployment['model']): readonly (readonly [string, string])[] {
  if (inferenceProfileId.startsWith('arn:')) return [];
  const behind = inferenceProfileId.slice(inferenceProfileId.indexOf('.') + 1);
  return behind === foundationModelId
    ? []
    : [['model.foundationModelId', `does not fit the profile ${inferenceProfileId}: write ${behind}`]];
}
