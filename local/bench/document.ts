import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { TurnCounts } from './counts.ts';
import type { Times } from './times.ts';

const DOCUMENT = 'docs/performance.md';
const HEAD = [
  'turn',
  'S3 GET',
  'S3 PUT',
  'S3 other',
  'kB read',
  'kB written',
  'AgentCore Identity',
  'GitHub',
  'model',
  'S3 ahead of the model',
];

/** The counts as a Markdown table. */
export function countsTable(counts: readonly TurnCounts[]): string {
  return toTable([
    HEAD,
    ...counts.map((each) => [
      each.turn,
      ...[each.gets, each.puts, each.others].map(count),
      ...[each.bytesRead, each.bytesWritten].map(kilobytes),
      ...[each.identity, each.gitHub, each.model].map(count),
      each.inFront === undefined ? '–' : count(each.inFront),
    ]),
  ]);
}

export function timesTable(times: Times): string {
  return toTable([
    ['what', 'measured', 'at most'],
    ['time to the first text, warm', milliseconds(times.firstTextMs), '–'],
    ['added by a slow S3, warm', milliseconds(times.addedWarmMs), '5 ms'],
    ['added by a slow S3, cold', milliseconds(times.addedColdMs), '40 ms'],
    ['CPU time of the agent task, for a warm turn', milliseconds(times.cpuMs), '–'],
    ['requests by the clock, of one task in a minute', String(Math.round(times.leasesAMinute)), '–'],
  ]);
}

/** Tells whether docs/performance.md has these counts. */
export function isDocumented(table: string): boolean {
  return readFileSync(DOCUMENT, 'utf8').includes(`${mark('counts')}${table}<!-- end -->`);
}

export function writeDocument(counts: string, times: string): void {
  const cores = `Measured on a machine with ${String(availableParallelism())} cores, which the local stack shares.\n\n`;
  const text = replaced(readFileSync(DOCUMENT, 'utf8'), 'counts', counts);
  writeFileSync(DOCUMENT, replaced(text, 'times', cores + times));
}

function replaced(text: string, name: string, content: string): string {
  const start = text.indexOf(mark(name)) + mark(name).length;
  return text.slice(0, start) + content + text.slice(text.indexOf('<!-- end -->', start));
}

function mark(name: string): string {
  return `<!-- ${name}: written by npm run bench -- --write-docs -->\n`;
}

function count(value: number): string {
  return value.toFixed(2).replace(/\.?0+$/, '');
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(1);
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function toTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return `${[line(head), rule, ...rows.map(line)].join('\n')}\n`;
}
