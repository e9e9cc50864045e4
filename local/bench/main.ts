import { build } from '../../scripts/lib/build.mjs';
import { BenchWorld } from './bench-world.ts';
import { countTurns } from './counts.ts';
import { countsTable, timesTable, writeDocument } from './document.ts';
import { measureTimes } from './times.ts';

const given = process.argv.slice(2);
if (given.some((argument) => argument !== '--write-docs')) {
  process.stderr.write('usage: npm run bench [-- --write-docs]\n');
  process.exit(1);
}
await build();
const world = await BenchWorld.start();
try {
  process.stdout.write('Measuring times and counting requests, for about two minutes …\n');
  const times = timesTable(await measureTimes(world));
  const counts = countsTable(await countTurns(world));
  process.stdout.write(`\n${counts}\n${times}`);
  if (given.includes('--write-docs')) writeDocument(counts, times);
} finally {
  await world.close();
}
