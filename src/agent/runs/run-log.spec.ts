import { setImmediate as settled } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { RunLog } from './run-log.js';

describe('the log of a run', () => {
  let send: (event: string | undefined) => void;
  let ended: number;
  let gone: AbortController;

  beforeEach(() => {
    ended = 0;
    gone = new AbortController();
  });

  /** A run that goes on with each `send`, and ends with undefined. */
  async function* run(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      send = resolve;
      const event = await promise;
      if (event === undefined) return;
      yield event;
    }
  }
  const play = async (...events: readonly (string | undefined)[]): Promise<void> => {
    for (const event of events) {
      await settled();
      send(event);
    }
    await settled();
  };
  const readTo = async (log: RunLog<string>, seen: string[]): Promise<void> => {
    for await (const event of log.read(gone.signal)) seen.push(event);
  };

  it('has its events for several readers, whenever they come', async () => {
    const log = new RunLog(run(), () => (ended += 1));
    const [early, late, last]: string[][] = [[], [], []];
    const reading = [readTo(log, early ?? [])];
    await play('a', 'b');
    expect(early).toEqual(['a', 'b']);
    reading.push(readTo(log, late ?? []));
    await play('c');
    expect(ended).toBe(0);
    await play(undefined);
    await Promise.all(reading);
    expect(ended).toBe(1);
    await readTo(log, last ?? []);
    expect([early, late, last]).toEqual(Array.from({ length: 3 }, () => ['a', 'b', 'c']));
  });

  it('is read no further by somebody who has gone', async () => {
    const log = new RunLog(run());
    const seen: string[] = [];
    const reading = readTo(log, seen);
    await play('a');
    gone.abort();
    await reading;
    await play('b', undefined);
    expect(seen).toEqual(['a']);
    expect(log.events).toEqual(['a', 'b']);
    expect(log.hasEnded).toBe(true);
  });

  it('goes on without a reader', async () => {
    new RunLog(run(), () => (ended += 1));
    await play('a', undefined);
    expect(ended).toBe(1);
  });
});
