import { beforeEach, describe, expect, it } from '@jest/globals';
import { recordedAudit, type RecordedLine } from '../../audit/testing/recorded-audit.js';
import { AppError } from '../../common/errors/index.js';
import { flowIdOf, type FlowLedger, type FlowTicket, type FlowTickets } from '../../identity/flow/index.js';
import type { PendingRun, StoredInterrupt } from '../../sessions/index.js';
import type { Provider, ToolRegistry } from '../../tools/index.js';
import type { RaisedInterrupt, WaitingOutcome } from './interrupt.js';
import { Interrupts } from './interrupts.js';

const context = { user: { sub: 'alice' }, sessionId: 'one', runId: 'run' };
const place = { number: 3, loopId: 'loop-3' };
const provider: Provider = {
  id: 'parrot',
  label: 'Parrot',
  apiBase: 'https://parrot.example',
  settingsUrl: 'https://parrot.example/settings',
  scopes: { speak: 'Speak', shout: { allows: 'Shout', why: 'It is far away.' } },
  tools: [],
};
const authorization = {
  kind: 'authorization_required',
  authorizationUrl: 'https://identity.example/authorize',
  sessionUri: 'urn:session',
  customState: 'state',
  expiresAt: Date.UTC(2026, 0, 1),
  awsRequestId: 'aws-1',
} as const;
const outcomes = {
  authorization_required: {
    kind: 'authorization_required',
    tool: 'say',
    provider,
    scopes: ['speak', 'shout'],
    authorization,
    account: undefined,
    reauthenticated: false,
    called: false,
  },
  approval_required: {
    kind: 'approval_required',
    tool: 'say',
    provider: 'parrot',
    input: { word: 'a' },
    inputBytes: 12,
    digest: 'DIGEST',
    account: { id: '1', login: 'alice-octo' },
    widerScopes: [],
  },
  account_changed: {
    kind: 'account_changed',
    tool: 'say',
    provider,
    before: { id: '1', login: 'alice-octo' },
    now: { id: '2', login: 'bob-octo' },
  },
} as const satisfies Readonly<Record<WaitingOutcome['kind'], WaitingOutcome>>;

function raisedBy(outcome: WaitingOutcome, more: Partial<RaisedInterrupt> = {}): RaisedInterrupt {
  return { toolCallId: 'a', outcome, pauses: 2, approved: undefined, reauthenticated: true, ...more };
}

const common = {
  toolCallId: 'a',
  tool: 'say',
  title: 'Say a word',
  pauses: 2,
  reauthenticated: true,
  loopId: 'loop-3',
};

describe('Interrupts', () => {
  let asked: FlowTicket[];
  let fault: AppError | undefined;
  let lines: readonly RecordedLine[];
  let interrupts: Interrupts;

  beforeEach(() => {
    [asked, fault] = [[], undefined];
    const recorded = recordedAudit();
    lines = recorded.lines;
    const registry = { title: () => 'Say a word' } as unknown as ToolRegistry;
    const tickets = {
      connectUrl: ({ sessionUri }: FlowTicket) => Promise.resolve(`https://a.example/connect?${sessionUri}`),
    } as unknown as FlowTickets;
    const ledger = {
      ask: (ticket: FlowTicket) => {
        asked.push(ticket);
        return fault === undefined ? Promise.resolve() : Promise.reject(fault);
      },
    } as unknown as FlowLedger;
    interrupts = new Interrupts(registry, tickets, ledger, recorded.audit);
  });

  describe('that are presented', () => {
    it('name a consent by its number, and lead to our own link', async () => {
      expect(await interrupts.present(context, raisedBy(outcomes.authorization_required), place)).toEqual({
        stored: {
          ...common,
          id: 'interrupt-3',
          kind: 'authorization_required',
          provider: 'parrot',
          scopes: ['speak', 'shout'],
        },
        message: 'Parrot needs your authorization: Say a word. Open connectUrl in this browser, then resume.',
        link: { url: 'https://a.example/connect?urn:session', expiresAt: authorization.expiresAt },
      });
    });

    it('put a consent into the ledger before its link is given out', async () => {
      fault = new AppError('flows_unavailable');
      const raised = raisedBy(outcomes.authorization_required);
      await expect(interrupts.present(context, raised, place)).rejects.toBe(fault);
      expect(lines).toEqual([]);
    });

    it("say in the provider's own words what a consent is for", async () => {
      const account = { id: '1', login: 'alice-octo' };
      const outcome = { ...outcomes.authorization_required, account };
      await interrupts.present(context, raisedBy(outcome), place);
      expect(asked).toMatchObject([
        {
          sub: 'alice',
          display: {
            provider: 'Parrot',
            account: 'alice-octo',
            scopes: [{ allows: 'Speak' }, { allows: 'Shout', why: 'It is far away.' }],
            tool: 'Say a word',
          },
          sessionUri: 'urn:session',
          consent: {
            sessionId: 'one',
            runId: 'run',
            interruptId: 'interrupt-3',
            tool: 'say',
            provider: 'parrot',
            scopes: ['speak', 'shout'],
          },
        },
      ]);
    });

    it('name a scope by itself where nothing describes it', async () => {
      const outcome = { ...outcomes.authorization_required, scopes: ['fly'] };
      await interrupts.present(context, raisedBy(outcome), place);
      expect(asked[0]?.display.scopes).toEqual([{ allows: 'fly' }]);
      expect(asked[0]?.display).not.toHaveProperty('account');
    });

    it('show an approval with the very input, the account and its digest', async () => {
      const presented = await interrupts.present(context, raisedBy(outcomes.approval_required), place);
      expect(presented).toEqual({
        stored: {
          ...common,
          id: expect.stringMatching(/^interrupt-3-[0-9a-f]{12}$/) as unknown,
          kind: 'approval_required',
          input: { word: 'a' },
          digest: 'DIGEST',
          inputBytes: 12,
          account: 'alice-octo',
          accountId: '1',
        },
        message: 'Your approval is needed: Say a word.',
        decidedBy: 'approved',
      });
    });

    const edited = { tool: 'say', input: { word: 'b' }, accountId: '1', isApproved: true };
    it('say for which inputs more could be allowed, and why a change was not taken', async () => {
      const outcome = { ...outcomes.approval_required, within: { word: 'a' }, fault: 'Too long.' };
      const { stored, message } = await interrupts.present(context, raisedBy(outcome, { edited }), place);
      expect(stored).toMatchObject({
        within: { word: 'a' },
        fault: 'Too long.',
        edited: { input: { word: 'b' }, accountId: '1', approved: true },
      });
      expect(message).toBe('Your change was not taken. Too long. Your approval is needed: Say a word.');
    });

    it.each(['authorization_required', 'account_changed'] as const)(
      'keep what the user has written, and allowed, of a call that waits for %s',
      async (kind) => {
        const raised = raisedBy(outcomes[kind], {
          edited: { ...edited, accountId: undefined, isApproved: false },
          allowsMore: true,
        });
        const { stored } = await interrupts.present(context, raised, place);
        expect(stored).toMatchObject({ edited: { input: { word: 'b' } }, allowsMore: true });
        expect(stored).not.toHaveProperty('edited.approved');
      },
    );

    it('show an approval without an account where the provider tells of none', async () => {
      const outcome = { ...outcomes.approval_required, account: undefined };
      const { stored } = await interrupts.present(context, raisedBy(outcome), place);
      expect(stored).not.toHaveProperty('account');
    });

    it('never give two approvals of one number the same id', async () => {
      const raised = raisedBy(outcomes.approval_required);
      const [one, two] = await Promise.all([
        interrupts.present(context, raised, place),
        interrupts.present(context, raised, place),
      ]);
      expect(one.stored.id).not.toBe(two.stored.id);
    });

    it('show both accounts where another one than before is connected', async () => {
      const presented = await interrupts.present(context, raisedBy(outcomes.account_changed), place);
      expect(presented.stored).toEqual({
        ...common,
        id: expect.stringMatching(/^interrupt-3-[0-9a-f]{12}$/) as unknown,
        kind: 'account_changed',
        provider: 'parrot',
        before: 'alice-octo',
        now: { id: '2', login: 'bob-octo' },
      });
      expect(presented.decidedBy).toBe('switch');
      expect(presented.message).toContain('Go on as bob-octo?');
    });

    it.each(['authorization_required', 'account_changed'] as const)(
      'keep the approval of a call that waits for %s',
      async (kind) => {
        const raised = raisedBy(outcomes[kind], { approved: 'BEFORE' });
        expect((await interrupts.present(context, raised, place)).stored).toMatchObject({
          approved: 'BEFORE',
        });
      },
    );

    it.each([
      [
        'authorization_required',
        {
          event: 'consent_asked',
          interruptId: 'interrupt-3',
          flow: flowIdOf('urn:session'),
          provider: 'parrot',
          scopes: ['speak', 'shout'],
          awsRequestId: 'aws-1',
        },
      ],
      ['approval_required', { event: 'approval_asked', digest: 'DIGEST', inputBytes: 12 }],
      ['account_changed', { event: 'account_changed', provider: 'parrot', accountId: '2' }],
    ] as const)('are recorded: %s', async (kind, line) => {
      await interrupts.present(context, raisedBy(outcomes[kind]), place);
      expect(lines).toMatchObject([{ user: 'alice', sessionId: 'one', runId: 'run', tool: 'say', ...line }]);
    });
  });

  describe('that are answered', () => {
    const stored: Readonly<Record<StoredInterrupt['kind'], StoredInterrupt>> = {
      authorization_required: {
        ...common,
        id: 'interrupt-1',
        kind: 'authorization_required',
        provider: 'parrot',
        scopes: [],
      },
      approval_required: {
        ...common,
        id: 'interrupt-1',
        kind: 'approval_required',
        input: {},
        digest: 'DIGEST',
        inputBytes: 2,
      },
      account_changed: {
        ...common,
        id: 'interrupt-1',
        kind: 'account_changed',
        provider: 'parrot',
        before: 'alice-octo',
        now: { id: '2', login: 'bob-octo' },
      },
    };
    const pendingOf = (kind: StoredInterrupt['kind']): PendingRun => ({
      interrupts: [stored[kind]],
      snapshot: null,
      resumable: true,
    });

    it('are matched by their ids', () => {
      const answer = { interruptId: 'interrupt-1', status: 'resolved' } as const;
      expect(interrupts.match(context, pendingOf('approval_required'), [answer])).toEqual([
        { stored: stored.approval_required, answer },
      ]);
    });

    it('must be pending, or nothing of the answers is recorded', () => {
      const answers = [
        { interruptId: 'interrupt-1', status: 'cancelled' },
        { interruptId: 'interrupt-2', status: 'cancelled' },
      ] as const;
      expect(() => interrupts.match(context, pendingOf('approval_required'), answers)).toThrow(
        expect.objectContaining({ code: 'interrupt_not_pending' }),
      );
      expect(lines).toEqual([]);
    });

    it.each([
      ['authorization_required', 'resolved', undefined, []],
      ['authorization_required', 'cancelled', undefined, [{ event: 'consent_declined' }]],
      ['approval_required', 'resolved', undefined, []],
      [
        'approval_required',
        'resolved',
        { approved: true },
        [{ event: 'approval_answered', digest: 'DIGEST', inputBytes: 2, approved: true }],
      ],
      [
        'approval_required',
        'cancelled',
        undefined,
        [{ event: 'approval_answered', digest: 'DIGEST', inputBytes: 2, approved: false }],
      ],
      [
        'account_changed',
        'resolved',
        { switch: true },
        [{ event: 'account_answered', provider: 'parrot', switched: true }],
      ],
      [
        'account_changed',
        'cancelled',
        { switch: true },
        [{ event: 'account_answered', provider: 'parrot', switched: false }],
      ],
    ] as const)('are recorded: %s by %s %j', (kind, status, payload, expected) => {
      interrupts.match(context, pendingOf(kind), [{ interruptId: 'interrupt-1', status, payload }]);
      const fields = {
        user: 'alice',
        sessionId: 'one',
        runId: 'run',
        interruptId: 'interrupt-1',
        tool: 'say',
      };
      expect(lines).toMatchObject(expected.map((line) => ({ ...fields, ...line })));
      expect(lines).toHaveLength(expected.length);
    });
  });
});
