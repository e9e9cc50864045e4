// Prints the cost of a deployment. It needs neither AWS nor Docker.
import { spawnSync } from 'node:child_process';
import { installInfra } from './lib/infra.mjs';

const [file = '', ...more] = process.argv.slice(2).filter((argument) => argument !== '--write-docs');
if (file.startsWith('-') || more.length > 0) {
  process.stderr.write(
    'usage: npm run infra:cost [-- FILE] [--write-docs]   FILE is like infra/deployments/example.json\n',
  );
  process.exit(1);
}

installInfra();
process.stdout.write(
  'Counting the resources of the template, and the calls of twenty turns on the local stack …\n',
);
const { status } = spawnSync(process.execPath, ['infra/bin/cost.ts', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
