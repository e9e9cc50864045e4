import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const FOLDER = 'infra';

/** The infrastructure has its own dependencies, which the application does not need. */
export function installInfra() {
  const { devDependencies } = JSON.parse(readFileSync(`${FOLDER}/package.json`, 'utf8'));
  if (Object.keys(devDependencies).every((name) => existsSync(`${FOLDER}/node_modules/${name}`))) return;
  process.stdout.write(
    'Installing the dependencies of the infrastructure (npm ci --prefix infra, about 15 s) …\n',
  );
  const { status } = spawnSync('npm', ['ci', '--prefix', FOLDER], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('npm ci --prefix infra failed; the lines above say why.');
}

/** Checks the types of the infrastructure. */
export function checkInfraTypes() {
  const parameters = ['node_modules/typescript/bin/tsc', '-p', FOLDER];
  return spawnSync(process.execPath, parameters, { stdio: 'inherit' }).status === 0;
}
