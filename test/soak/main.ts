// Plays users at two agent tasks of the local stack while parts fail and tasks die, and checks that nothing is lost or doubled.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../../scripts/lib/build.mjs';
import { report } from './report.ts';
import { Soak } from './soak.ts';

const USAGE = 'usage: npm run test:soak [-- --minutes N] [-- --seed N]';
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const { minutes, seed } = parse();
await build();
say(`A soak of ${String(minutes)} minutes with the seed ${String(seed)}.`);
const folder = mkdtempSync(join(tmpdir(), 'onbehalf-soak-'));
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    interrupted.abort();
  });
const soak = await Soak.start({ minutes, seed, folder, say });
let passed = false;
try {
  await soak.run(interrupted.signal);
  passed = report(soak, minutes, say);
} finally {
  await soak.stop();
  if (passed) rmSync(folder, { recursive: true });
  else say(`The logs are in ${folder}.`);
}
process.exit(passed ? 0 : 1);

function parse(): { readonly minutes: number; readonly seed: number } {
  try {
    const options = { minutes: { type: 'string' }, seed: { type: 'string' } } as const;
    const { values } = parseArgs({ options });
    const [given, chosen] = [Number(values.minutes ?? 3), Number(values.seed ?? 1)];
    if (given > 0 && Number.isInteger(chosen)) return { minutes: given, seed: chosen };
  } catch {
    // The usage says what is accepted.
  }
  process.stderr.write(`${USAGE}\n`);
  process.exit(1);
}
