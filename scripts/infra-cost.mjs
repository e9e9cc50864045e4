// What a deployment would cost. Needs neither AWS nor Docker.
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
process.stdout.write('Counting what the template has, and what twenty turns on the local stack take …\n');
const { status } = spawnSync(process.execPath, ['infra/bin/cost.ts', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
