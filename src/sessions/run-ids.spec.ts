import { describe, expect, it } from '@jest/globals';
import { newWorkingSet } from './claim.js';
import type { WorkingSet } from './conversation.js';
import { repeatedRun, withRun } from './run-ids.js';

const empty = newWorkingSet('one', { kind: 'message', text: 'hello' });
const after = (...names: readonly string[]): WorkingSet =>
  names.reduce((set, runId) => withRun(set, { runId, digest: `digest of ${runId}` }, [runId]), empty);

describe('the runs of a conversation', () => {
  it('are remembered by their ids, the last one with its events', () => {
    expect(after('a', 'b')).toMatchObject({
      runIds: ['a', 'b'],
      lastRun: { runId: 'b', digest: 'digest of b', events: ['b'] },
    });
  });

  it('are the latest 32', () => {
    const names = Array.from({ length: 33 }, (_, index) => String(index));
    expect(after(...names).runIds).toEqual(names.slice(1));
  });

  it.each([
    ['there are none', undefined],
    ['they are too large', ['x'.repeat(256_000)]],
  ])('are remembered without events where %s', (_name, events) => {
    expect(withRun(empty, { runId: 'a' }, events).lastRun).toStrictEqual({ runId: 'a' });
  });

  it('have new ones under new ids', () => {
    expect(repeatedRun(empty, { runId: 'a', digest: '' })).toBeUndefined();
    expect(repeatedRun(after('a'), { runId: 'b', digest: 'digest of a' })).toBeUndefined();
  });

  it('have the last one again under its id, with the same input', () => {
    expect(repeatedRun(after('a', 'b'), { runId: 'b', digest: 'digest of b' })).toMatchObject({
      events: ['b'],
    });
  });

  it.each([
    ['an earlier one', 'a', 'digest of a'],
    ['another input', 'b', 'digest of a'],
  ])('have no second one under an id: %s', (_name, runId, digest) => {
    expect(() => repeatedRun(after('a', 'b'), { runId, digest })).toThrow(
      expect.objectContaining({ code: 'run_id_used' }),
    );
  });
});
