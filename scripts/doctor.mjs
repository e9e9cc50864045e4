// Checks whether a deployment or a configuration would work, from the environment of a role or a file with it.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { build } from './lib/build.mjs';

const USAGE = `usage: npm run doctor [-- FILE]

Checks everything that a role with this environment depends on, and says how to fix each fault. It changes nothing.
FILE has the form of .env.example; without FILE, the variables of this shell are used. npm start writes such a file: .onbehalf/8000/operator.env
The exit code is 0 when everything was checked and nothing is wrong, and 1 otherwise.`;

const [file, ...more] = process.argv.slice(2);
if (file === '--help' || file === '-h') {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
if (more.length > 0 || file?.startsWith('-') === true) fail(USAGE);
if (file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
  fail(`There is no file ${file}. Copy .env.example, or start the local stack: npm start`);

await build();
const { status } = spawnSync(process.execPath, ['dist/doctor/main.js'], {
  stdio: 'inherit',
  env: file === undefined ? process.env : await environmentOf(file),
});
process.exit(status ?? 1);

/**
 * Takes the variables of the application only from the file, and from the SDK's variables those for addresses and
 * credentials. The file is read as data and never executed.
 */
async function environmentOf(file) {
  await import('reflect-metadata');
  const [{ allVariables }, { PROVIDERS }] = await Promise.all([
    import('../dist/config/index.js'),
    import('../dist/roles/providers.js'),
  ]);
  const variables = allVariables(PROVIDERS);
  const ofSdk = /^AWS_(PROFILE|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|ENDPOINT_URL(_[A-Z0-9_]+)?)$/;
  const mine = Object.entries(process.env).filter(([name]) => !(name in variables));
  const text = readFileSync(file, 'utf8');
  const given = text.includes('\0') ? [] : Object.entries(parseEnv(text));
  const accepted = given.filter(([name]) => name in variables || ofSdk.test(name));
  if (accepted.length === 0) fail(`${file} has none of the variables of .env.example.`);
  process.stdout.write(
    `Checking ${file}; this takes up to half a minute. When a command says export, change that line of the file instead.\n\n`,
  );
  return Object.fromEntries([...mine, ...accepted]);
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
