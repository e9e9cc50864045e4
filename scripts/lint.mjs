// Lints each file that has changed since it last passed, and each file that imports a changed file directly or indirectly.
// The rules use the types of imported files, so ESLint's own cache, which compares single files, would miss some mistakes.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ESLint } from 'eslint';
import { digestsOf } from './lib/digests.mjs';

const MEMORY = 'node_modules/.cache/onbehalf/check/lint.json';
/** The rules, the types of the dependencies and this script affect every file. */
const FOR_ALL = [
  'eslint.config.mjs',
  'package-lock.json',
  'infra/package-lock.json',
  ...globSync('{tsconfig*,infra/tsconfig}.json'),
  'scripts/lint.mjs',
  'scripts/lib/digests.mjs',
];
const LINTED = ['**/*.{ts,tsx,js,mjs}', '.*.{js,mjs}'];
const NOT_OURS = ['**/node_modules', '.git', 'dist', 'coverage', '.onbehalf', 'reports', '.stryker-tmp'];

// The eslint command does the same: no file changes during the run.
process.env['TSESTREE_SINGLE_RUN'] = 'true';
const eslint = new ESLint();
const ours = await filesToLint();
const digests = digestsOf(ours, FOR_ALL);
const passed = remembered();
const changed = ours.filter((file) => passed[file] !== digests[file]);
const results = changed.length === 0 ? [] : await eslint.lintFiles(changed);
const clean = results.filter(({ errorCount, warningCount }) => errorCount + warningCount === 0);
const cleanNow = new Set(clean.map(({ filePath }) => filePath));
const keeps = ours.filter(
  (file) => passed[file] === digests[file] || cleanNow.has(join(process.cwd(), file)),
);
mkdirSync(dirname(MEMORY), { recursive: true });
writeFileSync(MEMORY, JSON.stringify(Object.fromEntries(keeps.map((file) => [file, digests[file]]))));

process.stdout.write(await (await eslint.loadFormatter('stylish')).format(results));
process.stdout.write(
  `${String(changed.length)} of ${String(ours.length)} files linted; the others have not changed since they passed.\n`,
);
process.exitCode = keeps.length === ours.length ? 0 : 1;

async function filesToLint() {
  const files = globSync(LINTED, { exclude: NOT_OURS }).sort();
  const ignored = await Promise.all(files.map((file) => eslint.isPathIgnored(file)));
  return files.filter((_, index) => !ignored[index]);
}

function remembered() {
  try {
    return JSON.parse(readFileSync(MEMORY, 'utf8'));
  } catch {
    // There was no earlier run, or its file is broken, so every file is linted.
    return {};
  }
}
