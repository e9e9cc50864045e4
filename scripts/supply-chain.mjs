// Checks the dependencies: they come only from the lockfile, have allowed licences, and run no install script that is not
// allowed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { report } from './lib/assurance.mjs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const { allowScripts, dependencies, devDependencies, overrides } = read('package.json');
const lock = read('package-lock.json');
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
const decisions = readFileSync('docs/adr/0007-dependencies.md', 'utf8');

/** Licences that a company usually may ship without a new legal review. */
const ALLOWED = [
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Python-2.0',
  'CC0-1.0',
];
/** Licences of data and documents, and of unchanged tools, for development only. */
const ALLOWED_FOR_DEVELOPMENT = [...ALLOWED, 'CC-BY-4.0', 'MPL-2.0'];
/** Packages that state their licence only in their repository, or in an outdated form in package.json. */
const STATED_ELSEWHERE = { 'node_modules/passport-strategy': 'MIT', 'node_modules/pause': 'MIT' };

const problems = [];
let tried = 0;
const check = (holds, sentence) => {
  tried += 1;
  if (!holds) problems.push(sentence);
};

const versions = { ...dependencies, ...devDependencies, ...overrides };
for (const [name, version] of Object.entries(versions)) {
  check(/^\d+\.\d+\.\d+$/.test(version), `${name}: ${version} in package.json is not an exact version.`);
  const installed = lock.packages[`node_modules/${name}`]?.version;
  check(
    installed === version,
    `${name}: package.json says ${version}, the lockfile ${installed}. Run: npm install`,
  );
}
for (const [path, { integrity, resolved, license, dev, devOptional, hasInstallScript }] of packages) {
  const name = path.replace(/^.*node_modules\//, '');
  const fromRegistry = resolved === undefined || resolved.startsWith('https://registry.npmjs.org/');
  check(
    integrity?.startsWith('sha512-') && fromRegistry,
    `${path} is not pinned to a package of the registry.`,
  );
  const allowed = dev || devOptional ? ALLOWED_FOR_DEVELOPMENT : ALLOWED;
  const stated = license ?? STATED_ELSEWHERE[path];
  check(permits(stated, allowed), `${path} is under ${stated ?? 'an unnamed licence'}.`);
  if (!hasInstallScript) continue;
  check(
    name in allowScripts,
    `${path} has an install script that allowScripts in package.json does not name.`,
  );
  check(
    !allowScripts[name] || decisions.includes(`\`${name}\` needs its own`),
    `No ADR says why ${name} may run its install script.`,
  );
}

process.stdout.write(`${packages.length} packages: exact versions, integrity, licences, install scripts.\n`);
const audited = await audit();
report({
  row: 0,
  claim: 'supply chain: versions, integrity, licences and install scripts',
  tried,
  held: tried - problems.length,
});
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(problems.length === 0 ? 'All checks passed.\n' : '');
process.exit(problems.length === 0 && audited ? 0 : 1);

/** SPDX: every part of an AND must be allowed, and at least one part of an OR. */
function permits(expression = '', allowed) {
  const plain = expression.replaceAll(/[()]/g, '');
  return plain.split(' AND ').every((all) => all.split(' OR ').some((one) => allowed.includes(one.trim())));
}

/** False when the registry knows a vulnerability; true when it knows none, or does not answer. */
function audit() {
  const { stdout } = spawnSync('npm', ['audit', '--json', '--audit-level=high'], { encoding: 'utf8' });
  const counts = parse(stdout)?.metadata?.vulnerabilities;
  if (counts === undefined) {
    process.stdout.write("npm audit: NOT CHECKED, the registry's audit service does not answer here.\n");
    return true;
  }
  process.stdout.write(
    `npm audit: ${counts.critical} critical, ${counts.high} high, ${counts.total} in all.\n`,
  );
  return counts.critical + counts.high === 0;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
