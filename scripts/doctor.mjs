// Looks whether a deployment, or a configuration, would work: with the environment of a role, or a file with it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { build } from './lib/build.mjs';

const [file, ...more] = process.argv.slice(2);
if (more.length > 0) fail('usage: npm run doctor [-- FILE]   where FILE is like .env.example');
if (file !== undefined && !existsSync(file))
  fail(`There is no file ${file}. Copy .env.example, or start the local stack: npm start`);

await build();
const given = file === undefined ? {} : parseEnv(readFileSync(file, 'utf8'));
process.stdout.write(
  `Looking at ${file ?? 'the variables of this shell'}. It takes up to half a minute.\n\n`,
);
const { status } = spawnSync(process.execPath, ['dist/doctor/main.js'], {
  stdio: 'inherit',
  env: { ...process.env, ...given },
});
process.exit(status ?? 1);

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
