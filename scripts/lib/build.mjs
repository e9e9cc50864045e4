import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';

const STAMP = 'dist/.sources';
const INPUTS = [
  'web/**/*.{ts,tsx,css,html,svg}',
  'src/**/*.ts',
  'src/**/assets/*',
  'tsconfig*.json',
  'nest-cli.json',
  'package-lock.json',
];
const TESTS = /\.spec\.ts$|[\\/]testing[\\/]/;

/** Builds `dist/` with the Nest CLI, unless the last build had the same sources. */
export async function build({ always = false, say = (line) => process.stdout.write(`${line}\n`) } = {}) {
  const digest = digestOf(
    INPUTS.flatMap((pattern) => globSync(pattern))
      .filter((file) => !TESTS.test(file))
      .sort(),
  );
  if (!always && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return;
  say('Building …');
  const startedAt = Date.now();
  await run(process.execPath, ['node_modules/@nestjs/cli/bin/nest.js', 'build']);
  await buildPages();
  writeFileSync(STAMP, digest);
  say(`Built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
}

/** Builds the pages. @param folder an absolute path; that of the configuration when absent */
export function buildPages(folder) {
  return run(process.execPath, [
    'node_modules/vite/bin/vite.js',
    ...['build', '--config', 'web/vite.config.ts', '--logLevel', 'warn'],
    ...(folder === undefined ? [] : ['--outDir', folder]),
  ]);
}

function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

function run(command, parameters) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error('The build failed; the lines above say where.'));
    });
  });
}
