import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BenchWorld } from '../../local/bench/bench-world.ts';
import { countTurns, type TurnCounts } from '../../local/bench/counts.ts';
import { countsTable, isDocumented } from '../../local/bench/document.ts';

describe('the requests of a turn', () => {
  let world: BenchWorld;
  let counts: readonly TurnCounts[];

  beforeAll(async () => {
    world = await BenchWorld.start();
    counts = await countTurns(world);
  }, 180_000);
  afterAll(() => world.close());

  it.each([
    ['first turn of a conversation', { gets: 1, puts: 2, others: 0, model: 1, inFront: 1 }],
    ['warm turn', { gets: 0, puts: 2, others: 0, model: 1, inFront: 0 }],
    ['cold turn', { gets: 1, puts: 2, others: 0, model: 1, inFront: 1 }],
  ])('are few: %s', (turn, expected) => {
    expect(counts.find((each) => each.turn === turn)).toMatchObject(expected);
  });

  it('are as many in turn 1,000 as in turn 100, one more in 16 turns than in turn 15, and write no more bytes', () => {
    const [early, late, latest] = counts.slice(-3);
    // Every sixteenth turn, the beginning of what the model is shown is summarised.
    const puts = (early?.puts ?? 0) + 1 / 16;
    for (const each of [late, latest])
      expect(each).toMatchObject({ gets: early?.gets, puts, others: early?.others });
    expect(latest?.bytesWritten).toBeLessThan((late?.bytesWritten ?? 0) * 1.02);
  });

  it('are those of docs/performance.md; else run: npm run bench -- --write-docs', () => {
    const table = countsTable(counts);
    expect({ table, isDocumented: isDocumented(table) }).toEqual({ table, isDocumented: true });
  });
});
