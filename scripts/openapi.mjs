// Writes the specification of the agent role's API from the code to src/api-docs/assets/openapi.json. With --check, it
// compares the two and changes nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from './lib/build.mjs';
import { SPECIFICATION, specificationText } from './lib/openapi.mjs';

await build();
const text = await specificationText();
if (!process.argv.includes('--check')) {
  writeFileSync(SPECIFICATION, text);
  process.stdout.write(`${SPECIFICATION} was written.\n`);
} else if (readFileSync(SPECIFICATION, 'utf8') !== text) {
  process.stderr.write(`${SPECIFICATION} does not match the code. Run: npm run openapi\n`);
  process.exit(1);
}
process.exit(0);
