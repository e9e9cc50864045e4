// Makes small changes to the folders that stryker.config.mjs names, one at a time. A unit test must fail for each.
import { spawnSync } from 'node:child_process';

process.stdout.write(
  'Makes small changes to the code that decides about users, tokens and tools, one at a time, and checks that a unit test fails.\n' +
    'This takes up to an hour on two cores. The report: reports/mutation/mutation.json\n',
);
const { status } = spawnSync(
  process.execPath,
  ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
