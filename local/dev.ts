import { watch } from 'chokidar';
import { once } from 'node:events';
import { sep } from 'node:path';
import { runCommand, type Place } from './lib/local-command.ts';
import { RolesFromSources, WATCHED } from './lib/roles-from-sources.ts';
import { startStack, type LocalStack } from './stack.ts';

await runCommand({
  name: 'npm run dev',
  purpose:
    'Starts the local stack and both roles from the sources. After a change under src or web, both roles restart and take over.',
  starts: 'the local stack and both roles, from the sources',
  // New roles start while the previous ones still serve, so they use free ports.
  startStack,
  takesRolePorts: false,
  begin: async (stack, place) => {
    const roles = new RolesFromSources(stack, place);
    const watcher = watch(WATCHED, { ignoreInitial: true });
    watcher.on('all', (_event, path) => {
      roles.changed(path.replaceAll(sep, '/'));
    });
    try {
      await once(watcher, 'ready');
      await roles.start();
    } catch (error) {
      await watcher.close();
      throw error;
    }
    return {
      screen: screen(stack, place),
      stop: async () => {
        await watcher.close();
        await roles.stop();
      },
    };
  },
});

function screen({ loadBalancer, identityProvider, faultBoard }: LocalStack, { logs, state }: Place): string {
  return `
OnBehalf is ready:  ${loadBalancer.url}

  Sign in as   ${identityProvider.users.map(({ username }) => username).join(', ')}   (no password)
  Change a file under src or web: a line here reports when both roles run the change. The types are not checked here; npm run check checks them.

  Faults  ${faultBoard.url} makes a part fail, and plays the incidents of docs/operations.md
  Logs    ${logs}/agent.log, ${logs}/session-binding.log
  State   ${state} (survives a restart; npm run dev -- --reset clears it)
  Stop    Ctrl-C
`;
}
