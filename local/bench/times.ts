import { PLAIN } from './bench-model.ts';
import type { BenchWorld } from './bench-world.ts';
import { ofTurns } from './counts.ts';

export interface Times {
  /** The median time to the first text with a model and an S3 that answer at once, in milliseconds. */
  readonly firstTextMs: number;
  /** By how much a slow S3 delays the first text of a model that thinks; medians, in milliseconds. */
  readonly addedWarmMs: number;
  readonly addedColdMs: number;
  readonly cpuMs: number;
  /** The writes by the clock of one task in a minute. */
  readonly leasesAMinute: number;
}

/** Of each kind; the two kinds alternate. */
const TURNS = 30;
const CPU_TURNS = 300;
const WARM_UP_TURNS = 100;
const SLOW_GET_MS = 30;
const SLOW_PUT_MS = 60;
const THINKING_MS = 300;

export async function measureTimes(world: BenchWorld): Promise<Times> {
  const [task] = world.tasks;
  const startedAt = performance.now();
  const callsBefore = world.stack.s3.calls.length;
  for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) await world.say(task, 'times', PLAIN);
  const before = await world.cpuMs();
  const first: number[] = [];
  for (let turn = 0; turn < CPU_TURNS; turn += 1)
    first.push((await world.say(task, 'times', PLAIN)).firstTextMs);
  const cpuMs = ((await world.cpuMs()) - before) / CPU_TURNS;
  const thinking = world.stack.bedrock.faults.plan(/./, { kind: 'delay', ms: THINKING_MS });
  const addedWarmMs = await added(world, () => Promise.resolve('times'));
  let conversations = 0;
  // A conversation that the other task has begun is new to this one.
  const addedColdMs = await added(world, async () => {
    const sessionId = `cold-${String((conversations += 1))}`;
    await world.say(world.tasks[1], sessionId, PLAIN);
    return sessionId;
  });
  world.stack.bedrock.faults.remove((fault) => fault === thinking);
  const calls = world.stack.s3.calls.slice(callsBefore);
  const minutes = (performance.now() - startedAt) / 60_000;
  const leases = calls.length - ofTurns(calls).length;
  const leasesAMinute = leases / minutes / world.tasks.length;
  return { firstTextMs: median(first), addedWarmMs, addedColdMs, cpuMs, leasesAMinute };
}

/** The difference of the medians with a slow and with a fast S3. */
async function added(world: BenchWorld, conversation: () => Promise<string>): Promise<number> {
  const fast: number[] = [];
  const slow: number[] = [];
  for (let turn = 0; turn < 2 * TURNS; turn += 1) {
    const sessionId = await conversation();
    const isSlow = turn % 2 === 1;
    const { faults } = world.stack.s3;
    const planned = [
      faults.plan(/^GET .*users\//, { kind: 'delay', ms: SLOW_GET_MS }, isSlow ? Infinity : 0),
      faults.plan(/^PUT .*users\//, { kind: 'delay', ms: SLOW_PUT_MS }, isSlow ? Infinity : 0),
    ];
    (isSlow ? slow : fast).push((await world.say(world.tasks[0], sessionId, PLAIN)).firstTextMs);
    faults.remove((fault) => planned.includes(fault));
  }
  return median(slow) - median(fast);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
