import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OTHER_S3_URL } from '../support/other-s3.ts';
import { isInstalled, SERVERS, startServer, type OtherS3 } from './servers.ts';

/** The tests that use S3 only by way of the roles, and do not read its stand-in. */
const TESTS =
  'test/e2e/(ag-ui|binding|disconnect|drain|provider-pages|repeated-ids|scope-words|sign-out|tokens|user-tokens|window|failures/(crash|kills|runs))\\.e2e';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const present = SERVERS.filter(isInstalled);
for (const { command, install } of SERVERS) {
  if (!present.some((server) => server.command === command))
    say(`NOT RUN: ${command} is not installed. To try it: ${install}`);
}
let held = present.length > 0;
for (const server of present) held = (await passes(server)) && held;
process.exit(held ? 0 : 1);

/** Runs the tests with the roles' objects on one server. */
async function passes(server: OtherS3): Promise<boolean> {
  say(`\n— The roles on ${server.command}, about three minutes —`);
  const folder = mkdtempSync(join(tmpdir(), 'onbehalf-other-s3-'));
  try {
    const running = await startServer(server, folder);
    const code = await runTests(running.url).finally(() => running.stop());
    return code === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runTests(url: string): Promise<number | null> {
  const parameters = ['scripts/run.mjs', 'scripts/test.mjs', 'e2e', `--testPathPatterns=${TESTS}`];
  const child = spawn(process.execPath, parameters, {
    stdio: 'inherit',
    env: { ...process.env, [OTHER_S3_URL]: url },
  });
  return new Promise((resolve) => child.once('exit', resolve));
}
