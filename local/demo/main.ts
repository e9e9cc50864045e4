import { build } from '../../scripts/lib/build.mjs';
import { startBothRoles } from '../lib/both-roles.ts';
import { startStack } from '../stack.ts';
import { playAttacks } from './attacks.ts';
import { playFlow } from './flow.ts';
import { Report } from './report.ts';
import { playWrite } from './write.ts';

if (process.argv.length > 2) {
  process.stderr.write('npm run demo takes no arguments.\n');
  process.exit(1);
}
const startedAt = Date.now();
process.stdout.write(
  'This demo plays the authorization-code flow over HTTP on its own local stack. It needs neither AWS nor a browser.\n',
);
await build();
const stack = await startStack();
try {
  const roles = await startBothRoles(stack);
  try {
    const report = new Report();
    const played = await playFlow(stack, report);
    await playWrite(stack, report, played.alice);
    await playAttacks(stack, roles, played, report);
    process.exitCode = report.end((Date.now() - startedAt) / 1000);
  } finally {
    await roles.stop();
  }
} finally {
  await stack.close();
}
