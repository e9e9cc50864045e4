// Writes the specification of the agent role's API, from the code, into src/api-docs/assets/openapi.json; with --check,
// compares the two and changes nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from './lib/build.mjs';
import { SPECIFICATION, specificationText } from './lib/openapi.mjs';

await build();
const text = await specificationText();
if (!process.argv.includes('--check')) {
  writeFileSync(SPECIFICATION, text);
  process.stdout.write(`${SPECIFICATION} is written.\n`);
} else if (readFileSync(SPECIFICATION, 'utf8') !== text) {
  process.stderr.write(`${SPECIFICATION} is not what the code describes. Run: npm run openapi\n`);
  process.exit(1);
}
process.exit(0);
