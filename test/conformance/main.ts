import { writeFileSync } from 'node:fs';
import { conformanceDocument, DOCUMENT } from './document.ts';
import { runConformance } from './run.ts';

process.stdout.write(
  "Asking the stand-ins everything that AWS's own model says; this takes about ten seconds.\n",
);
const results = await runConformance();
const differences = results.flatMap((result) => result.differences);
for (const difference of differences) process.stderr.write(`${difference}\n`);
writeFileSync(DOCUMENT, conformanceDocument(results));
process.stdout.write(
  `${DOCUMENT} was written; ${String(differences.length)} differences are not explained.\n`,
);
process.exit(differences.length === 0 ? 0 : 1);
