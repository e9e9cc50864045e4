import { describe, expect, it } from '@jest/globals';
import { Causes } from '../soak/causes.ts';
import { checkConversation, checkWrites } from '../soak/checks.ts';
import { Figures } from '../soak/figures.ts';
import { Ledger } from '../soak/ledger.ts';
import type { ConversationView, TurnView } from '../soak/views.ts';

const TITLE = 'one-run-2';
const TURNS: readonly TurnView[] = [
  {
    seq: 1,
    runId: 'one-run-1',
    outcome: 'success',
    messages: [
      { role: 'user', text: 'hello' },
      { role: 'assistant', text: 'Hello!' },
    ],
  },
  {
    seq: 2,
    runId: 'one-run-2',
    outcome: 'success',
    messages: [
      { role: 'user', text: 'write' },
      {
        role: 'assistant',
        toolCalls: [{ id: 'call', name: 'create_github_issue', input: { title: TITLE } }],
      },
      {
        role: 'tool',
        toolCallId: 'call',
        result: { source: 'github', untrusted: true, data: { number: 1 } },
      },
      { role: 'assistant', text: 'Done.' },
    ],
  },
];

/** What the client of TURNS knows. */
function ledger(approved = true): Ledger {
  const known = new Ledger('one');
  const ended = { kind: 'success' } as const;
  Object.assign(known.add('plain', 'hello'), { accepted: true, ended, answer: 'Hello!' });
  Object.assign(known.add('write', 'write'), { accepted: true, ended, answer: 'Done.' });
  for (const write of known.writes) write.approved = approved;
  return known;
}

function broken(turns: readonly TurnView[], done: number, approved?: boolean): readonly string[] {
  const figures = new Figures(new Causes(), () => undefined);
  const view: ConversationView = { turns, waiting: [] };
  checkConversation(ledger(approved), view, figures);
  checkWrites(ledger(approved), view, new Map([[TITLE, done]]), figures);
  return [...figures.broken.keys()];
}

const [FIRST, SECOND] = TURNS as readonly [TurnView, TurnView];

/** The second turn with another result of its write. */
function resulted(result: unknown): readonly TurnView[] {
  const messages = SECOND.messages.map((message) =>
    message.role === 'tool' ? { ...message, result } : message,
  );
  return [FIRST, { ...SECOND, messages }];
}

describe('the checks of a soak', () => {
  it('find nothing in a conversation that is right', () => {
    expect(broken(TURNS, 1)).toEqual([]);
  });

  it.each<[string, readonly TurnView[], number, readonly string[]]>([
    ['a lost turn', [FIRST], 1, ['messages lost', 'answers lost']],
    ['a gap', [FIRST, { ...SECOND, seq: 3 }], 1, ['histories not valid']],
    [
      'a doubled turn',
      [FIRST, { ...FIRST, seq: 2 }, { ...SECOND, seq: 3 }],
      1,
      ['messages doubled', 'runs doubled'],
    ],
    ['another outcome', [{ ...FIRST, outcome: 'cancelled' }, SECOND], 1, ['answers lost']],
    [
      'another text',
      [{ ...FIRST, messages: [{ role: 'user', text: 'hello' }] }, SECOND],
      1,
      ['answers lost'],
    ],
    [
      'a call without a result',
      [FIRST, { ...SECOND, messages: SECOND.messages.filter(({ role }) => role !== 'tool') }],
      1,
      ['histories not valid'],
    ],
    ['a doubled write', TURNS, 2, ['writes doubled']],
    ['a write that is claimed and was not done', TURNS, 0, ['writes claimed that were not done']],
    [
      'a write that is denied and was done',
      resulted({ error: { code: 'provider_rejected' } }),
      1,
      ['writes denied that were done'],
    ],
    [
      'a write that is said not to be done, and was',
      resulted('The user went on without allowing this.'),
      1,
      ['writes denied that were done'],
    ],
    ['a result that says neither', resulted('Perhaps.'), 0, ['histories not valid']],
  ])('find %s', (_name, turns, done, expected) => {
    expect(broken(turns, done)).toEqual(expected);
  });

  it('find a write that nobody has approved, and accept one that may have been done', () => {
    expect(broken(TURNS, 1, false)).toEqual(['writes without approval']);
    for (const done of [0, 1]) expect(broken(resulted('It may have been done.'), done)).toEqual([]);
  });

  it('explain an error by its cause, for a short time after it', () => {
    const causes = new Causes();
    const figures = new Figures(causes, () => undefined);
    const now = { from: Date.now(), to: Date.now() };
    figures.error('run_lost', now, 'one');
    expect(figures.unexpected).toHaveLength(1);
    causes.begin('task killed')();
    expect(causes.explain('run_lost', { from: Date.now() + 13_000, to: Date.now() + 13_000 })).toBe(true);
    expect(causes.explain('run_lost', { from: Date.now() + 15_000, to: Date.now() + 15_000 })).toBe(false);
    expect(causes.explain('internal_error', now)).toBe(false);
  });
});
