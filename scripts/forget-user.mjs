// Deletes everything of one user in the bucket of a deployment, and proves it.
import { spawnSync } from 'node:child_process';
import { build } from './lib/build.mjs';

const USAGE = `usage: npm run forget-user -- SUB [--yes] [--force]

Counts everything that the bucket has of the user whose sub is SUB, with all old versions. With --yes, deletes it and lists it
again. Refuses while the user has a turn in progress, unless --force is given.
AWS_REGION, S3_BUCKET_NAME and the credentials of an operator come from the environment: docs/operations.md names the
permissions. The exit code is 0 when everything asked for was done, and 1 otherwise.`;

const given = process.argv.slice(2);
if (given.includes('--help') || given.includes('-h')) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const flags = given.filter((argument) => argument === '--yes' || argument === '--force');
const [sub, ...more] = given.filter((argument) => !flags.includes(argument));
if (sub === undefined || sub === '' || sub.startsWith('--') || more.length > 0) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(1);
}

await build();
const { status } = spawnSync(process.execPath, ['dist/forget-user/main.js', sub, ...flags], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
