import { build } from '../scripts/lib/build.mjs';
import { startBothRoles, type BothRoles } from './lib/both-roles.ts';
import { environmentFile, ROLE_PORTS, runCommand, type Place } from './lib/local-command.ts';
import { startStack, type LocalStack } from './stack.ts';

await runCommand({
  name: 'npm start',
  purpose:
    'Starts the local stack and both roles, with the load balancer at http://localhost:8000; it does not need AWS.',
  starts: 'the local stack and both roles',
  startStack,
  takesRolePorts: true,
  prepare: () => build(),
  begin: async (stack, place) => {
    const ports = [place.port + ROLE_PORTS.agent, place.port + ROLE_PORTS['session-binding']] as const;
    const roles = await startBothRoles(stack, { ports, logDirectory: place.logs });
    return { screen: screen(stack, place), stop: () => roles.stop(), broken: endOfA(roles, place) };
  },
});

function endOfA({ agent, sessionBinding }: BothRoles, { logs }: Place): Promise<string> {
  const end = async (name: string, exited: Promise<number | null>): Promise<string> =>
    `The role ${name} has ended (exit code ${String(await exited)}). Its log: ${logs}/${name}.log`;
  return Promise.race([end('agent', agent.exited), end('session-binding', sessionBinding.exited)]);
}

function screen({ loadBalancer, identityProvider, gitHub, faultBoard }: LocalStack, place: Place): string {
  const { state, logs } = place;
  return `
OnBehalf is ready:  ${loadBalancer.url}        The API: ${loadBalancer.url}/docs

  Sign in as   ${identityProvider.users.map(({ username }) => username).join(', ')}   (no password)
  The model, AgentCore Identity, S3, the identity provider and GitHub (${gitHub.url})
  are stand-ins on this machine. The model follows simple rules; it is not a language model.

  Try this:
   1. Ask "Who am I on GitHub?" The answer waits for your consent: continue to GitHub, choose an account and
      press Authorize there. The answer then goes on by itself.
   2. "List my repositories" needs another scope, so another consent. Give it, or go on without.
   3. Open such a link in a private window as another user: it is refused before anything is shared.
   4. 'Open an issue "Lamp" in alice-octo/tram-times' shows what it would write, and waits for your approval.

  Look in ${faultBoard.url}/inspector draws every request as it happens, and plays three attacks
  Faults  ${faultBoard.url} makes a part fail, and plays the incidents of docs/operations.md
  Logs    ${logs}/agent.log, ${logs}/session-binding.log
  State   ${state} (survives a restart; npm start -- --reset clears it)
  Check   npm run doctor -- ${environmentFile('operator', place)}
  Stop    Ctrl-C
`;
}
