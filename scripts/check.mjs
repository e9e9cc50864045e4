// Everything that is fast enough to run before each commit.
import { spawnSync } from 'node:child_process';

const bin = (name) => `node_modules/${name}`;
const steps = [
  ['format', [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']],
  ['types', [bin('typescript/bin/tsc'), '-p', 'tsconfig.json', '--noEmit']],
  ['types of tools and tests', [bin('typescript/bin/tsc'), '-p', 'tsconfig.tools.json']],
  ['lint', [bin('eslint/bin/eslint.js'), '.', '--max-warnings', '0']],
  [
    'dependency rules',
    [
      bin('dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config',
      '.dependency-cruiser.mjs',
      'src',
      'local',
    ],
  ],
  ['unit tests', ['scripts/run.mjs', 'scripts/test.mjs', 'unit']],
];

for (const [name, parameters] of steps) {
  process.stdout.write(`${name} …\n`);
  const { status } = spawnSync(process.execPath, parameters, { stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write(
      `${name}: failed. The lines above say where${name === 'format' ? '; npm run format mends it' : ''}.\n`,
    );
    process.exit(1);
  }
}
process.stdout.write('All of it holds.\n');
