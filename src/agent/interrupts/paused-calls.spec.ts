import { describe, expect, it } from '@jest/globals';
import type { StoredInterrupt } from '../../sessions/index.js';
import type { Account, ApprovalRequired, AuthorizationRequired } from '../../tools/index.js';
import type { AnsweredInterrupt, WaitingOutcome } from './interrupt.js';
import { PausedCalls } from './paused-calls.js';

const common = {
  id: 'interrupt-1',
  toolCallId: 'a',
  tool: 'send',
  title: 'Send',
  pauses: 1,
  reauthenticated: false,
  loopId: 'loop',
};
const asked = {
  authorization_required: {
    ...common,
    kind: 'authorization_required',
    provider: 'parrot',
    scopes: [],
    approved: 'BEFORE',
  },
  approval_required: {
    ...common,
    kind: 'approval_required',
    input: {},
    digest: 'DIGEST',
    inputBytes: 2,
  },
  account_changed: {
    ...common,
    kind: 'account_changed',
    provider: 'parrot',
    before: 'alice',
    now: { id: '2', login: 'bob' },
    approved: 'BEFORE',
  },
} as const satisfies { readonly [Kind in StoredInterrupt['kind']]: Extract<StoredInterrupt, { kind: Kind }> };

function answered(
  kind: StoredInterrupt['kind'],
  status: AnsweredInterrupt['answer']['status'],
  payload?: unknown,
): AnsweredInterrupt {
  return { stored: asked[kind], answer: { interruptId: 'interrupt-1', status, payload } };
}

const approvalRequired = { kind: 'approval_required', tool: 'send', digest: 'OTHER' } as ApprovalRequired;
const authorizationRequired = (more: Partial<AuthorizationRequired> = {}): AuthorizationRequired =>
  ({
    kind: 'authorization_required',
    tool: 'send',
    reauthenticated: false,
    called: false,
    ...more,
  }) as AuthorizationRequired;

describe('PausedCalls', () => {
  it.each([
    ['authorization_required', 'cancelled', undefined, 'consent_declined'],
    ['authorization_required', 'cancelled', { approved: true }, 'consent_declined'],
    ['approval_required', 'cancelled', undefined, 'approval_declined'],
    ['approval_required', 'cancelled', { approved: true }, 'approval_declined'],
    ['approval_required', 'resolved', { approved: false }, 'approval_declined'],
    ['approval_required', 'resolved', { approved: 'true' }, 'approval_declined'],
    ['account_changed', 'cancelled', { switch: true }, 'account_declined'],
  ] as const)('declines a call whose %s is answered by %s %j', (kind, status, payload, code) => {
    expect(new PausedCalls([answered(kind, status, payload)]).enter('a').declined).toBe(code);
  });

  it.each([
    ['approval_required', 'resolved', { approved: true }, 'DIGEST'],
    ['approval_required', 'resolved', undefined, undefined],
    ['approval_required', 'resolved', { approved: 'true' }, undefined],
    ['approval_required', 'resolved', 'approved', undefined],
    ['approval_required', 'resolved', null, undefined],
    ['approval_required', 'resolved', { switch: true }, undefined],
    ['approval_required', 'resolved', Object.create({ approved: true }), undefined],
    ['authorization_required', 'resolved', undefined, 'BEFORE'],
    ['account_changed', 'resolved', { switch: true }, 'BEFORE'],
  ] as const)('takes for %s, %s %j the approval of %s', (kind, status, payload, approved) => {
    expect(new PausedCalls([answered(kind, status, payload)]).enter('a').approved).toBe(approved);
  });

  it.each([
    [{ switch: true }, { switchTo: '2' }],
    [{ switch: false }, 'consent_again'],
    [{ switch: 'true' }, 'consent_again'],
    [{ approved: true }, 'consent_again'],
    [undefined, 'consent_again'],
  ] as const)('takes %j about another account for %j', (payload, account) => {
    expect(new PausedCalls([answered('account_changed', 'resolved', payload)]).enter('a').account).toEqual(
      account,
    );
  });

  it.each(['authorization_required', 'approval_required'] as const)(
    'switches no account where %s was asked',
    (kind) => {
      expect(new PausedCalls([answered(kind, 'resolved', { switch: true })]).enter('a').account).toBe(
        undefined,
      );
    },
  );

  it('uses an answer once, also when the model uses an id again', () => {
    const calls = new PausedCalls([answered('approval_required', 'resolved', { approved: true })]);
    expect(calls.enter('a').approved).toBe('DIGEST');
    expect(calls.enter('a')).toEqual({
      pauses: 0,
      approved: undefined,
      edited: undefined,
      allowsMore: false,
      reauthenticated: false,
      account: undefined,
    });
  });

  describe('with another input than the model wrote', () => {
    const other = { word: 'b' };
    const approvedWith = (payload: object): PausedCalls =>
      new PausedCalls([answered('approval_required', 'resolved', { approved: true, ...payload })]);

    it('enters the call with it, and with no approval of what was shown', () => {
      expect(approvedWith({ input: other }).enter('a')).toMatchObject({
        approved: undefined,
        edited: { tool: 'send', input: other, accountId: undefined, isApproved: true },
      });
    });

    it('keeps it while the call waits for something else', () => {
      const calls = approvedWith({ input: other, allow: 'conversation' });
      const raised = calls.pause('a', calls.enter('a'), authorizationRequired());
      expect(raised).toMatchObject({ edited: { input: other, isApproved: true }, allowsMore: true });
      const usedUp = calls.pause(
        'b',
        { ...calls.enter('b'), edited: raised.edited },
        authorizationRequired({ called: true }),
      );
      expect(usedUp).toMatchObject({ edited: { input: other, isApproved: false } });
    });

    it.each([
      [{ approved: false, input: other }, 'approval_declined'],
      [{ input: other }, undefined],
    ])('is no approval by itself: %j', (payload, declined) => {
      const calls = new PausedCalls([answered('approval_required', 'resolved', payload)]);
      expect(calls.enter('a')).toMatchObject({ approved: undefined, edited: undefined });
      expect(new PausedCalls([answered('approval_required', 'resolved', payload)]).enter('a').declined).toBe(
        declined,
      );
    });

    it('forgets it where the model calls another tool by the same id', () => {
      const calls = approvedWith({ input: other });
      const outcome = { kind: 'approval_required', tool: 'delete', digest: 'D' } as ApprovalRequired;
      expect(calls.pause('a', calls.enter('a'), outcome).edited).toBeUndefined();
    });

    it('takes it up again after the consent that it waited for', () => {
      const { stored, answer } = answered('authorization_required', 'resolved');
      const kept = { ...stored, edited: { input: other, approved: true }, allowsMore: true } as typeof stored;
      expect(new PausedCalls([{ stored: kept, answer }]).enter('a')).toMatchObject({
        edited: { tool: 'send', input: other, isApproved: true },
        allowsMore: true,
      });
    });

    it('approves what was shown, where that was the user’s own', () => {
      const { stored, answer } = answered('approval_required', 'resolved', { approved: true });
      const kept = { ...stored, edited: { input: other } } as typeof stored;
      expect(new PausedCalls([{ stored: kept, answer }]).enter('a')).toMatchObject({
        approved: 'DIGEST',
        edited: { input: other, isApproved: true },
      });
    });

    it.each(['always', true, undefined])(
      'allows further calls by "conversation" alone, not by %j',
      (allow) => {
        expect(approvedWith({ allow }).enter('a').allowsMore).toBe(false);
        expect(approvedWith({ allow: 'conversation' }).enter('a')).toMatchObject({
          approved: 'DIGEST',
          allowsMore: true,
        });
      },
    );
  });

  it('enters a call that nobody was asked about as a new one', () => {
    const calls = new PausedCalls([answered('approval_required', 'resolved', { approved: true })]);
    expect(calls.enter('b')).toMatchObject({ pauses: 0, approved: undefined });
  });

  it('counts how often a call was paused', () => {
    const calls = new PausedCalls([answered('authorization_required', 'resolved')]);
    expect(calls.pause('a', calls.enter('a'), authorizationRequired()).pauses).toBe(2);
    expect(calls.pause('b', calls.enter('b'), authorizationRequired()).pauses).toBe(1);
  });

  it.each<[string, WaitingOutcome, string | undefined]>([
    ['a consent', authorizationRequired(), 'BEFORE'],
    ['a consent after the tool was entered', authorizationRequired({ called: true }), undefined],
    ['the approval of another call', approvalRequired, undefined],
    [
      'a word about another account',
      { kind: 'account_changed', tool: 'send', now: { id: '3' } as Account } as WaitingOutcome,
      'BEFORE',
    ],
  ])('keeps an approval while the call waits for %s, if it still counts', (_name, outcome, approved) => {
    const calls = new PausedCalls([answered('authorization_required', 'resolved')]);
    const raised = calls.pause('a', calls.enter('a'), outcome);
    expect(raised.approved).toBe(approved);
    expect(calls.raised('a')).toBe(raised);
  });

  it.each([
    [false, false, false],
    [false, true, true],
    [true, false, true],
  ])('remembers that the user was sent to the provider anew: before %s, now %s', (before, now, kept) => {
    const stored = { ...asked.authorization_required, reauthenticated: before };
    const calls = new PausedCalls([{ stored, answer: { interruptId: 'interrupt-1', status: 'resolved' } }]);
    const outcome = authorizationRequired({ reauthenticated: now });
    expect(calls.pause('a', calls.enter('a'), outcome).reauthenticated).toBe(kept);
  });

  it('has raised nothing that it was not told of', () => {
    expect(new PausedCalls().raised('a')).toBeUndefined();
  });
});
