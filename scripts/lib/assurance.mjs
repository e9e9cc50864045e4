// The table of the cases that the security suite has tried. It is printed after the suite, and docs/assurance.md holds a copy.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';

const DOCUMENT = 'docs/assurance.md';
const START = '<!-- written by npm run test:security -- --write-docs -->\n';
const END = '<!-- end -->';

/** Adds a line to the report, if this run writes a report. */
export function report(line) {
  const file = process.env['ASSURANCE_REPORT'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** Returns the reported lines of the suite as a Markdown table. */
export function assuranceTable(reportFile) {
  const lines = readFileSync(reportFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const sorted = [...lines].sort((a, b) => (a.row || 99) - (b.row || 99) || a.claim.localeCompare(b.claim));
  const cells = sorted.map(({ row, claim, tried, held }) => [
    row === 0 ? '–' : String(row),
    claim,
    count(tried),
    count(held),
  ]);
  return {
    held: lines.every(({ tried, held }) => tried === held),
    text: toTable([['row', 'what was tried', 'tried', 'held'], ...cells]),
  };
}

/** Tells whether docs/assurance.md has this table. */
export function isDocumented(table) {
  return readFileSync(DOCUMENT, 'utf8').includes(`${START}${table}${END}`);
}

export function writeDocument(table) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const before = text.slice(0, text.indexOf(START) + START.length);
  writeFileSync(DOCUMENT, `${before}${table}${text.slice(text.indexOf(END))}`);
}

function count(number) {
  return number.toLocaleString('en');
}

function toTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`,
  );
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return `${[lines[0], rule, ...lines.slice(1)].join('\n')}\n`;
}
