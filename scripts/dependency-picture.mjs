// Draws the arrows of .dependency-cruiser.mjs into docs/architecture.md; with --check, compares the two and changes nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { ARROWS } from '../.dependency-cruiser.mjs';

const PAGE = 'docs/architecture.md';
const PICTURE = /(<!-- arrows -->\n)[^]*?(<!-- \/arrows -->)/;
/** Every room may import these, so their arrows would only hide the others. */
const EVERYWHERE = new Set(['config', 'common']);

/** Folders of rooms, each of which has arrows of its own. */
const HOUSES = new Set(['identity', 'agent']);

const page = readFileSync(PAGE, 'utf8');
const drawn = page.replace(PICTURE, `$1\n\`\`\`mermaid\n${picture()}\n\`\`\`\n\n$2`);
if (!process.argv.includes('--check')) {
  writeFileSync(PAGE, drawn);
  process.stdout.write(`${PAGE} has the arrows of the rules.\n`);
} else if (drawn !== page) {
  process.stderr.write(`${PAGE} does not have the arrows of the rules. Run: npm run docs:arrows\n`);
  process.exit(1);
}

function picture() {
  const edges = ARROWS.flatMap(([, from, allowed]) =>
    allowed.flatMap(roomsOf).map((to) => [from, to]),
  ).filter(([from, to]) => !EVERYWHERE.has(to) && !HOUSES.has(from));
  return [
    'flowchart TD',
    '  provider-tools["‹provider›-tools"] --> tools',
    ...edges.map(([from, to]) => `  ${from} --> ${to}`),
  ].join('\n');
}

/** `identity/(sign-in|flow)` names two rooms. */
function roomsOf(pattern) {
  const [, before, names] = /^(.*)\(([^)]*)\)$/.exec(pattern) ?? [undefined, pattern, ''];
  return names === '' ? [before] : names.split('|').map((name) => before + name);
}
