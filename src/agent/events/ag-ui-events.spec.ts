import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../common/errors/index.js';
import type { RunEvent } from '../runs/index.js';
import { agUiEvents, type NumberedEvent } from './ag-ui-events.js';

const ANSWER: readonly RunEvent[] = [
  { kind: 'started' },
  { kind: 'text', delta: 'a' },
  { kind: 'text', delta: 'b' },
  { kind: 'finished', outcome: 'success' },
];
const ids = { threadId: 'one', runId: 'run' };

async function* run(
  events: readonly RunEvent[],
  read: RunEvent[] = [],
): AsyncGenerator<RunEvent, void, undefined> {
  for (const event of events) {
    await Promise.resolve();
    read.push(event);
    yield event;
  }
}

async function collected(events: AsyncIterable<NumberedEvent>): Promise<readonly NumberedEvent[]> {
  const all: NumberedEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('the events of a run for AG-UI', () => {
  it('are those of one run, in order', async () => {
    const events = await collected(agUiEvents(ids, run(ANSWER)));
    expect(events.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(events.map(({ event: { type } }) => type)).toEqual([
      'RUN_STARTED',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'RUN_FINISHED',
    ]);
  });

  it('are the same every time, and begin after the one that a client has', async () => {
    const all = await collected(agUiEvents(ids, run(ANSWER)));
    for (const after of [0, 1, 5, 6, 7])
      expect(await collected(agUiEvents(ids, run(ANSWER), after))).toEqual(all.slice(after));
  });

  it.each([
    [0, [1, 2]],
    [1, [2]],
    [2, [3]],
    [5, [6]],
  ])(
    'of a lost run tell its end also to a client that has more of it than was stored: after %i, they are %j',
    async (after, expected) => {
      const lost: readonly RunEvent[] = [
        { kind: 'started' },
        { kind: 'failed', error: new AppError('run_lost') },
      ];
      const events = await collected(agUiEvents(ids, run(lost), after));
      expect(events.map(({ id }) => id)).toEqual(expected);
      expect(events.at(-1)?.event).toMatchObject({ type: 'RUN_ERROR', code: 'run_lost' });
    },
  );

  it('come as the run comes, and not at its end', async () => {
    const read: RunEvent[] = [];
    const events = agUiEvents(
      ids,
      run([{ kind: 'started' }, { kind: 'finished', outcome: 'success' }], read),
    );
    expect(await events.next()).toEqual({
      done: false,
      value: { id: 1, event: { type: 'RUN_STARTED', ...ids } },
    });
    expect(read).toEqual([{ kind: 'started' }]);
  });

  it('fail where the run does', async () => {
    const broken = (async function* (): AsyncGenerator<RunEvent, void, undefined> {
      await Promise.resolve();
      yield { kind: 'started' };
      throw new Error('broken');
    })();
    await expect(collected(agUiEvents(ids, broken))).rejects.toThrow('broken');
  });
});
