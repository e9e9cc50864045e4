// Synthesises the templates of a deployment. Needs neither AWS nor Docker.
import { spawnSync } from 'node:child_process';
import { installInfra } from './lib/infra.mjs';

const outdir = 'infra/cdk.out';
const [file = 'infra/deployments/example.json', ...more] = process.argv.slice(2);
if (file.startsWith('-') || more.length > 0) {
  process.stderr.write(
    'usage: npm run infra:synth [-- FILE]   FILE is like infra/deployments/example.json\n',
  );
  process.exit(1);
}
installInfra();
process.stdout.write(`Synthesising ${file} into ${outdir} …\n`);
const { status } = spawnSync(process.execPath, ['infra/bin/app.ts'], {
  stdio: 'inherit',
  env: { ...process.env, DEPLOYMENT: file, CDK_OUTDIR: outdir, CDK_DISABLE_CLI_TELEMETRY: 'true' },
});
if (status === 0) process.stdout.write('Two stacks, without a finding of the AWS solution checks.\n');
process.exit(status ?? 1);
