// Measures the branch coverage of the code that decides about access by the unit tests. After a run of all suites, COVERAGE
// names the folder with what that run has measured, and the unit tests are not run again.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { report } from './lib/assurance.mjs';
import { coverageParameters, FOLDERS } from './lib/coverage.mjs';

const LEAST = 95;

const directory = process.env['COVERAGE'] ?? measure();
const files = JSON.parse(readFileSync(join(directory, 'coverage-summary.json'), 'utf8'));
rmSync(directory, { recursive: true });
const measured = Object.fromEntries(FOLDERS.map((folder) => [folder, branchesTaken(resolve('src', folder))]));
for (const [folder, percent] of Object.entries(measured)) {
  process.stdout.write(`src/${folder}: ${percent} % of the branches (at least ${LEAST})\n`);
}
const held = Object.values(measured).filter((percent) => percent >= LEAST).length;
report({
  row: 22,
  claim: `branch coverage of ${FOLDERS.join(', ')} by unit tests: at least ${LEAST} % each`,
  tried: FOLDERS.length,
  held,
});
process.exit(held === FOLDERS.length ? 0 : 1);

function measure() {
  const measured = mkdtempSync(join(tmpdir(), 'onbehalf-coverage-'));
  const { status } = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      ...['--selectProjects', 'unit', '--testTimeout', '60000'],
      ...coverageParameters(measured),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status !== 0) process.exit(1);
  return measured;
}

/** In percent, rounded down to a tenth. */
function branchesTaken(folder) {
  const within = Object.entries(files).filter(([file]) => file.startsWith(`${folder}/`));
  const sum = (key) => within.reduce((count, [, { branches }]) => count + branches[key], 0);
  return Math.floor((1000 * sum('covered')) / sum('total')) / 10;
}
