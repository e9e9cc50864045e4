// Runs every check that is fast enough to run before each commit. The steps keep caches in node_modules/.cache; npm run check
// -- --fresh deletes them first. --without-tests leaves the unit tests out, for a caller who runs them anyway.
import { rmSync } from 'node:fs';
import { runSteps } from './lib/steps.mjs';

const CACHE = 'node_modules/.cache/onbehalf/check';
const USAGE = 'usage: npm run check [-- [--fresh] [--without-tests]]';
const OPTIONS = ['--fresh', '--without-tests'];
const tsc = (project, ...more) => [
  'node_modules/typescript/bin/tsc',
  ...['-p', project, '--noEmit', '--incremental', '--tsBuildInfoFile', `${CACHE}/${project}.tsbuildinfo`],
  ...more,
];
const UNIT_TESTS = 'unit tests';
/** The longest step comes first, and the others run beside it. */
const STEPS = [
  { name: 'lint', parameters: ['scripts/lint.mjs'] },
  { name: 'types', parameters: tsc('tsconfig.json') },
  { name: 'types of tools and tests', parameters: tsc('tsconfig.tools.json') },
  { name: 'types of the pages', parameters: tsc('tsconfig.web.json') },
  { name: UNIT_TESTS, parameters: ['scripts/run.mjs', 'scripts/test.mjs', 'unit'] },
  {
    name: 'format',
    parameters: [
      'node_modules/prettier/bin/prettier.cjs',
      ...['--check', '--log-level', 'warn', '.'],
      ...['--cache', '--cache-strategy', 'content', '--cache-location', `${CACHE}/prettier`],
    ],
    fix: 'to fix it, run: npm run format',
  },
  {
    name: 'public docstrings',
    parameters: ['node_modules/typedoc/bin/typedoc', '--emit', 'none', '--logLevel', 'Warn'],
  },
  { name: 'picture of the rules', parameters: ['scripts/dependency-picture.mjs', '--check'] },
  { name: 'unused code', parameters: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  {
    name: 'dependency rules',
    parameters: [
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      ...['--config', '.dependency-cruiser.mjs', 'src', 'local', 'web'],
    ],
  },
];

const given = process.argv.slice(2);
if (given.some((argument) => !OPTIONS.includes(argument))) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(1);
}
if (given.includes('--fresh')) rmSync(CACHE, { recursive: true, force: true });

const startedAt = Date.now();
const steps = given.includes('--without-tests') ? STEPS.filter(({ name }) => name !== UNIT_TESTS) : STEPS;
process.stdout.write(`Checking ${steps.map(({ name }) => name).join(', ')} …\n`);
const failed = await runSteps(steps);
const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
for (const { name, fix } of failed) {
  process.stderr.write(
    `${name}: failed. The lines below its name say where${fix === undefined ? '' : `; ${fix}`}.\n`,
  );
}
process.stdout.write(
  failed.length === 0 ? `All checks passed in ${seconds} s.\n` : `Some checks failed, after ${seconds} s.\n`,
);
process.exit(failed.length === 0 ? 0 : 1);
