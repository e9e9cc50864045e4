// Changes src/identity, src/binding, src/sessions and src/storage in every small way, one at a time: a unit test must notice each.
import { spawnSync } from 'node:child_process';

process.stdout.write(
  'Changes the code of identity, binding, sessions and storage, one small thing at a time, and looks whether a unit test fails.\n' +
    'This takes up to an hour on two cores. The report: reports/mutation/mutation.json\n',
);
const { status } = spawnSync(
  process.execPath,
  ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
