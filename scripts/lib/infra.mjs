import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const FOLDER = 'infra';

/** The infrastructure has dependencies of its own, which who runs the application does without. */
export function installInfra() {
  if (existsSync(`${FOLDER}/node_modules/aws-cdk-lib`)) return;
  process.stdout.write('Installing what the infrastructure needs (npm ci --prefix infra, about 15 s) …\n');
  const { status } = spawnSync('npm', ['ci', '--prefix', FOLDER], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('npm ci --prefix infra failed; the lines above say why.');
}

/** Whether its types fit. */
export function checkInfraTypes() {
  const parameters = ['node_modules/typescript/bin/tsc', '-p', FOLDER];
  return spawnSync(process.execPath, parameters, { stdio: 'inherit' }).status === 0;
}
