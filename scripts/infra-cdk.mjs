// Runs the CDK's own commands for one deployment: npm run infra:cdk -- FILE deploy --all
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { installInfra } from './lib/infra.mjs';

const [file, ...command] = process.argv.slice(2);
if (file === undefined || command.length === 0 || !existsSync(file)) {
  process.stderr.write(
    `${file === undefined || existsSync(file) ? '' : `There is no file ${file}. `}` +
      'usage: npm run infra:cdk -- FILE COMMAND …   for example: npm run infra:cdk -- infra/deployments/mine.json diff\n',
  );
  process.exit(1);
}
installInfra();
const { status } = spawnSync(
  process.execPath,
  // Use this Node.js, because it can run TypeScript directly.
  ['node_modules/aws-cdk/bin/cdk', ...command, '--app', `"${process.execPath}" bin/app.ts`],
  {
    cwd: 'infra',
    stdio: 'inherit',
    env: { ...process.env, DEPLOYMENT: resolve(file), CDK_DISABLE_CLI_TELEMETRY: 'true' },
  },
);
process.exit(status ?? 1);
