import { serveStack } from './stack-command.ts';

await serveStack(
  'npm run stack',
  ({
    folder,
  }) => `  Start a role   npm run build, then: set -a; . ${folder}/agent.env; set +a; npm run start:role
  In VS Code     choose "Agent role" or "Session-binding role" under Run and Debug
`,
);
