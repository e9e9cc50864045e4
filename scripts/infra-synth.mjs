// Synthesises the templates of a deployment, and writes the policies of the two roles to separate files. It needs neither AWS
// nor Docker.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
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
// The templates of another environment must not be mistaken for the templates of this one.
rmSync(outdir, { recursive: true, force: true });
process.stdout.write(`Synthesising ${file} into ${outdir} …\n`);
const { status, stdout, stderr } = spawnSync(process.execPath, ['infra/bin/app.ts'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'pipe'],
  env: { ...process.env, DEPLOYMENT: file, CDK_OUTDIR: outdir, CDK_DISABLE_CLI_TELEMETRY: 'true' },
});
process.stdout.write(stdout);
const warnings = stderr.split('\n').filter((line) => /warning/i.test(line));
if (status !== 0) {
  process.stderr.write(
    `${stderr}\nThe templates were not synthesised. The lines above say what to write instead.\n`,
  );
  process.exit(status ?? 1);
}
for (const line of warnings)
  process.stdout.write(`Warning: ${line.replace(/^.*\[?warning[^\s]*\]?\s*/i, '')}\n`);
const named = readFileSync(`${outdir}/policies/agent.json`, 'utf8').includes('YOUR-BUCKET')
  ? ', where YOUR-BUCKET and YOUR-KEY stand for the bucket and the key that this deployment creates'
  : '';
process.stdout.write(
  `Two stacks, without a finding of the AWS solution checks, and ${warnings.length === 0 ? 'no warning' : `${String(warnings.length)} warning(s)`}. ` +
    `The policies of the roles for platforms other than ECS: ${outdir}/policies${named}\n`,
);
