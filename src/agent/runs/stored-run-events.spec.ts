import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../common/errors/index.js';
import { consentInterrupt } from '../../sessions/testing/messages.js';
import type { RunEvent } from './run-event.js';
import { isEnd, runEventsOf, storedRunEvent } from './stored-run-events.js';

const EVENTS: readonly RunEvent[] = [
  { kind: 'started' },
  { kind: 'earlier_summarised', messages: 32 },
  { kind: 'answer_started' },
  { kind: 'text', delta: 'a' },
  { kind: 'reasoning', delta: 'b' },
  { kind: 'tool_call_started', toolCallId: 'call', name: 'say' },
  { kind: 'tool_call_arguments', delta: '{}' },
  { kind: 'block_ended' },
  { kind: 'tool_result', toolCallId: 'call', content: '{}' },
  { kind: 'notice', notice: { notice: 'wider_scopes', scopes: ['repo'] } },
];
const ENDS: readonly RunEvent[] = [
  { kind: 'finished', outcome: 'success' },
  { kind: 'finished', outcome: 'cancelled' },
  {
    kind: 'interrupted',
    interrupts: [
      {
        stored: consentInterrupt(1, 'call'),
        message: 'Consent',
        link: { url: 'https://a.example/connect', expiresAt: 1 },
      },
    ],
  },
  {
    kind: 'interrupted',
    interrupts: [{ stored: consentInterrupt(1, 'call'), message: 'Approve', decidedBy: 'approved' }],
  },
];
const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('the events of a run', () => {
  it.each([...EVENTS, ...ENDS])('are read as they were stored: %j', (event) => {
    expect(runEventsOf([parsed(storedRunEvent(event)) as never])).toStrictEqual([event]);
  });

  it('have a failure without its cause', () => {
    const error = new AppError('run_timeout', { detail: 'Too long.', cause: new Error('SECRET') });
    const stored = storedRunEvent({ kind: 'failed', error, requestId: 'request' });
    expect(stored).toStrictEqual({
      kind: 'failed',
      code: 'run_timeout',
      detail: 'Too long.',
      requestId: 'request',
    });
    expect(runEventsOf([stored])).toMatchObject([
      { kind: 'failed', error: { code: 'run_timeout', detail: 'Too long.' }, requestId: 'request' },
    ]);
    const [without] = runEventsOf([storedRunEvent({ kind: 'failed', error })]);
    expect(without).not.toHaveProperty('requestId');
  });

  it.each([[7], [{ kind: 'dance' }], [{ kind: 'failed', code: 'toString', detail: '' }]])(
    'end where one cannot be read: %j',
    (broken) => {
      expect(runEventsOf([{ kind: 'started' }, broken, { kind: 'block_ended' }])).toEqual([
        { kind: 'started' },
      ]);
    },
  );

  it('end with a terminal one', () => {
    expect(EVENTS.map(isEnd)).not.toContain(true);
    expect(ENDS.map(isEnd)).not.toContain(false);
    expect(isEnd({ kind: 'failed', error: new AppError('run_lost') })).toBe(true);
  });
});
