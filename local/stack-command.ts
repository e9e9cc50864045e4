import type { RoleName } from './lib/role-process.ts';
import type { EnvironmentOwner } from './lib/environment.ts';
import {
  environmentFile,
  ROLE_PORTS,
  runCommand,
  writeEnvironment,
  type Place,
} from './lib/local-command.ts';
import { startParts, type PartialStack } from './stack.ts';

const ROLES = ['agent', 'session-binding'] as const satisfies readonly RoleName[];
const OWNERS = [...ROLES, 'aws', 'aws-sample'] as const satisfies readonly EnvironmentOwner[];

const NAMES = {
  agent: 'the role agent',
  'session-binding': 'the role session-binding',
  aws: 'any AWS client',
  'aws-sample': "AWS's own sample in Python",
} as const;

/**
 * Serves the stack without the roles until a signal stops it, then ends the process.
 *
 * @param name the command as a user types it
 * @param how how a user starts a role on the stack: lines of the screen, if the command is one of this repository
 */
export async function serveStack(name: string, how?: (place: Place) => string): Promise<void> {
  await runCommand({
    name,
    purpose:
      'Starts the local stack without the roles: for roles that you start yourself, with a debugger for example, and for services of your own. It writes environment files for them.',
    starts: 'the local stack, without the roles',
    startStack: startParts,
    servesAnyProgram: true,
    // A role may already run, because it survives a restart of the stack.
    takesRolePorts: false,
    begin: (stack, place) => {
      registerRoles(stack, place);
      const written = OWNERS.map((owner) => [owner, environmentOf(owner, stack, place)] as const);
      return Promise.resolve({
        screen: screen(stack, place, new Map(written), how?.(place)),
        stop: () => Promise.resolve(),
      });
    },
  });
}

/** The load balancer expects the roles at their ports, unless the file of the stack names other targets. */
function registerRoles({ loadBalancer }: PartialStack, place: Place): void {
  if (loadBalancer === undefined) return;
  const targets = loadBalancer.targets();
  const roles = ROLES.map((role) => {
    const named = targets[role] ?? [];
    return [role, named.length > 0 ? named : [urlOf(role, place)]] as const;
  });
  loadBalancer.register({ ...targets, ...Object.fromEntries(roles) });
}

function urlOf(role: RoleName, { port }: Place): string {
  return `http://127.0.0.1:${String(port + ROLE_PORTS[role])}`;
}

/** Writes the environment file of a program, and returns its text for the screen. */
function environmentOf(owner: EnvironmentOwner, stack: PartialStack, place: Place): string {
  const role = ROLES.find((each) => each === owner);
  const port = role === undefined ? {} : { PORT: String(place.port + ROLE_PORTS[role]) };
  return writeEnvironment(environmentFile(owner, place), { ...stack.environment(owner), ...port });
}

function screen(
  stack: PartialStack,
  place: Place,
  environments: ReadonlyMap<EnvironmentOwner, string>,
  how = '',
): string {
  const shown = stack.loadBalancer === undefined ? (['aws'] as const) : ROLES;
  const files = shown.map(
    (owner) =>
      `# The environment of ${NAMES[owner]}, in ${environmentFile(owner, place)}\n${environments.get(owner) ?? ''}`,
  );
  return `
${files.join('\n')}
The local stack is ready:  ${stack.loadBalancer?.url ?? stack.faultBoard.url}

${addresses(stack)}
${roleLines(stack, place, how)}  Any AWS client unset AWS_PROFILE AWS_SESSION_TOKEN; set -a; . ${environmentFile('aws', place)}; set +a
${inspectorLine(stack)}  Faults         ${stack.faultBoard.url}
  Stop           Ctrl-C. Programs that you have started run until you stop them.
`;
}

function addresses({
  loadBalancer,
  identityProvider,
  agentCoreIdentity,
  providers,
  bedrock,
  s3,
  account,
}: PartialStack): string {
  const parts: readonly (readonly [string, string | undefined])[] = [
    ['Load balancer', loadBalancer?.url],
    ['Identity provider', identityProvider?.url],
    ['AgentCore Identity', agentCoreIdentity?.url],
    ...[...providers.values()].map(({ row, url }) => [row.brand, url] as const),
    ['Bedrock', bedrock?.url],
    ['S3', s3?.url],
    ['STS and KMS', account?.url],
  ];
  const lines = parts
    .filter(([, url]) => url !== undefined)
    .map(([name, url = '']) => `  ${name.padEnd(20)}${url}\n`);
  return lines.join('');
}

/** The inspector is there where the parts are that its attacks need. */
function inspectorLine({ hasInspector, faultBoard }: PartialStack): string {
  return hasInspector ? `  Look inside    ${faultBoard.url}/inspector\n` : '';
}

function roleLines({ loadBalancer }: PartialStack, { port }: Place, how: string): string {
  if (loadBalancer === undefined) return '';
  const { agent, 'session-binding': binding } = ROLE_PORTS;
  return `  The load balancer expects the agent role at port ${String(port + agent)} and the session-binding role at port ${String(port + binding)},
  unless the file of the stack names other targets. It answers 502 until a role runs.

${how}`;
}
