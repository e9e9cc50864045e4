import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const MINUTE_MS = 60_000;
const TEN_MINUTES_MS = 10 * MINUTE_MS;
const MEGABYTE = 1024 * 1024;

/** Measures the heap of a task after a collection of garbage, by test/support/report-heap.mjs. */
export class HeapProbe {
  readonly #file: string;
  readonly #askedAt: number[] = [];
  #process: ChildProcess | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  get environment(): Readonly<Record<string, string>> {
    return { NODE_OPTIONS: '--import ./test/support/report-heap.mjs', REPORT_HEAP: this.#file };
  }

  watch(process: ChildProcess): void {
    this.#process = process;
  }

  ask(): void {
    if (this.#process?.kill('SIGUSR2') === true) this.#askedAt.push(Date.now());
  }

  /** Megabytes, in the order of time. */
  sizes(): readonly number[] {
    if (!existsSync(this.#file)) return [];
    return readFileSync(this.#file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => Number(line) / MEGABYTE);
  }

  /**
   * The slope of the straight line through the least size of each minute, in the second half of the measurements; in
   * megabytes for ten minutes. The runs in progress are part of every other size.
   */
  slope(): number {
    const points = this.sizes().map((size, index) => [this.#askedAt[index] ?? 0, size] as const);
    const half = points.slice(Math.floor(points.length / 2));
    const minutes = Map.groupBy(half, ([at]) => Math.floor(at / MINUTE_MS));
    const least = [...minutes.values()].flatMap((each) => each.sort((a, b) => a[1] - b[1]).slice(0, 1));
    return slopeOf(least) * TEN_MINUTES_MS;
  }
}

/** The slope by the least squares. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return below === 0 ? 0 : above / below;
}
