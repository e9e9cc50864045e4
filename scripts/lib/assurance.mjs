// The table of what the security suite has tried: printed after it, and kept in docs/assurance.md.
import { readFileSync, writeFileSync } from 'node:fs';

const DOCUMENT = 'docs/assurance.md';
const START = '<!-- What npm run test:security printed; it fails when this differs. -->\n';
const END = '<!-- end -->';

/** The lines that the suite has reported, as a table in Markdown. */
export function assuranceTable(reportFile) {
  const lines = readFileSync(reportFile, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const sorted = [...lines].sort((a, b) => a.row - b.row || a.claim.localeCompare(b.claim));
  const cells = sorted.map(({ row, claim, tried, held }) => [String(row), claim, count(tried), count(held)]);
  return {
    held: lines.every(({ tried, held }) => tried === held),
    text: toTable([['row', 'what was tried', 'tried', 'held'], ...cells]),
  };
}

/** Whether docs/assurance.md has this table; with `write`, it has afterwards. */
export function documents(table, { write }) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [before, rest = ''] = text.split(START);
  const after = rest.slice(rest.indexOf(END));
  const current = `${before}${START}${table}${after}`;
  if (write) writeFileSync(DOCUMENT, current);
  return write || text === current;
}

function count(number) {
  return number.toLocaleString('en');
}

function toTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`);
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return `${[lines[0], rule, ...lines.slice(1)].join('\n')}\n`;
}
