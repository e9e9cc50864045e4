import type { RoleName } from './lib/role-process.ts';
import { ROLE_PORTS, runCommand, writeEnvironment, type Place } from './lib/local-command.ts';
import type { LocalStack } from './stack.ts';

const ROLES = ['agent', 'session-binding'] as const satisfies readonly RoleName[];

await runCommand({
  name: 'npm run stack',
  purpose:
    'Starts the local stack without the roles, for roles that you start yourself, with a debugger for example. It writes the environment of each role to a file.',
  starts: 'the local stack, without the roles',
  // A role may already run, because it survives a restart of the stack.
  takesRolePorts: false,
  begin: (stack, place) => {
    stack.loadBalancer.register({
      agent: [urlOf('agent', place)],
      'session-binding': [urlOf('session-binding', place)],
    });
    const environments = ROLES.map((role) => environmentOf(role, stack, place));
    return Promise.resolve({ screen: screen(stack, place, environments), stop: () => Promise.resolve() });
  },
});

function urlOf(role: RoleName, { port }: Place): string {
  return `http://127.0.0.1:${String(port + ROLE_PORTS[role])}`;
}

/** Writes the environment file of a role, and returns its text for the screen. */
function environmentOf(role: RoleName, stack: LocalStack, place: Place): string {
  const file = `${place.folder}/${role}.env`;
  const port = String(place.port + ROLE_PORTS[role]);
  const text = writeEnvironment(file, { ...stack.environment(role), PORT: port });
  return `# The environment of the role ${role}, in ${file}\n${text}`;
}

function screen(
  { loadBalancer, faultBoard }: LocalStack,
  { folder, port }: Place,
  environments: readonly string[],
): string {
  const { agent, 'session-binding': binding } = ROLE_PORTS;
  return `
${environments.join('\n')}
The local stack is ready:  ${loadBalancer.url}

  The load balancer expects the agent role at port ${String(port + agent)} and the session-binding role at port ${String(port + binding)}.
  It answers 502 until a role runs.

  Start a role   npm run build, then: set -a; . ${folder}/agent.env; set +a; npm run start:role
  In VS Code     choose "Agent role" or "Session-binding role" under Run and Debug
  Look inside    ${faultBoard.url}/inspector
  Faults         ${faultBoard.url}
  Stop           Ctrl-C. Roles that you have started run until you stop them.
`;
}
