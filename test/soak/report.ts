import type { Soak } from './soak.ts';

/** In less time, the sizes vary by more than the slope that is allowed. */
const SHORTEST_FOR_SLOPE_MINUTES = 30;
const LARGEST_SLOPE_MB = 1;
const MUST_BE_ZERO = [
  'messages lost',
  'messages doubled',
  'runs doubled',
  'answers lost',
  'writes doubled',
  'writes without approval',
  'writes denied that were done',
  'writes claimed that were not done',
  'histories not valid',
  'conversations usable too late',
];

/** Prints the figures of a soak and whether it has passed. */
export function report({ figures, heap }: Soak, minutes: number, say: (line: string) => void): boolean {
  const slope = heap.slope();
  const isJudged = minutes >= SHORTEST_FOR_SLOPE_MINUTES;
  if (isJudged && slope > LARGEST_SLOPE_MB)
    figures.break('memory', `the heap grows by ${slope.toFixed(2)} MB in ten minutes`);
  const perSecond = figures.of('turns') / Math.max(1, figures.of('seconds of play'));
  const judged = isJudged ? '' : ` (not judged in less than ${String(SHORTEST_FOR_SLOPE_MINUTES)} minutes)`;
  const rows: (readonly [string, string])[] = [
    ...[...figures.counts].sort(([a], [b]) => a.localeCompare(b)).map(([name, value]) => row(name, value)),
    ['turns per second', perSecond.toFixed(1)],
    ['heap at the end (MB)', heap.sizes().at(-1)?.toFixed(1) ?? '–'],
    [`slope of the heap in ten minutes (MB)${judged}`, slope.toFixed(2)],
    ...[...figures.errors].map(([code, value]) => row(`errors with the code ${code}`, value)),
    row('unexpected errors', figures.unexpected.length),
    ...MUST_BE_ZERO.map((name) => row(name, figures.broken.get(name)?.length ?? 0)),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  say('');
  for (const [name, value] of rows) say(`${name.padEnd(width)}  ${value}`);
  const faults = figures.faults();
  for (const sentence of faults) say(`FAIL: ${sentence}.`);
  if (faults.length === 0) say('PASS: nothing was lost or doubled, and a cause explains every error.');
  return faults.length === 0;
}

function row(name: string, value: number): readonly [string, string] {
  return [name, value.toLocaleString('en')];
}
