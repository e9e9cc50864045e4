import { Logger } from '@nestjs/common';
import { beforeAll, describe, it } from '@jest/globals';
import { z } from 'zod';
import type { AnsweredInterrupt } from '../../src/agent/interrupts/interrupt.js';
import { Interrupts } from '../../src/agent/interrupts/interrupts.js';
import { PausedCalls } from '../../src/agent/interrupts/paused-calls.js';
import { RunCalls } from '../../src/agent/runs/run-calls.js';
import { recordedAudit } from '../../src/audit/testing/recorded-audit.js';
import type { FlowLedger, FlowTickets } from '../../src/identity/flow/index.js';
import type { ResourceTokens } from '../../src/identity/token-vault/index.js';
import type { StoredInterrupt } from '../../src/sessions/index.js';
import { storedInterrupt } from '../../src/sessions/interrupt.js';
import type { Account, ToolCall, ToolOutcome, ToolRegistry } from '../../src/tools/index.js';
import { toolServices } from '../../src/tools/testing/tool-services.js';
import type { ToolPipeline } from '../../src/tools/tool-pipeline.js';
import type { RegisteredTool } from '../../src/tools/tool-call.js';
import { Claim } from '../support/assurance.ts';
import { Random } from '../support/random.ts';

const SEQUENCES = 10_000;
const STEPS = 12;
const CONTEXT = { user: { sub: 'alice' }, sessionId: 'one', runId: 'run' };
/** This test needs no consent: a token is always available. */
const NO_TICKETS = {} as FlowTickets;
const NO_LEDGER = {} as FlowLedger;
const TOOLS = ['post', 'delete'] as const;
const USE_IDS = ['a', 'b'] as const;
const input = z.strictObject({ text: z.string(), to: z.string().default('all') });
type Written = readonly [tool: string, input: unknown, account: string];

/** A conversation whose model calls writing tools with any ids and inputs, as often as it likes. */
class Conversation {
  readonly written: string[] = [];
  /** The calls that the user saw and approved, and that have not been done yet. */
  readonly credits: string[] = [];
  /** The interrupts that wait for an answer, with their accounts, by the id of the call. */
  readonly shown = new Map<string, { readonly stored: StoredInterrupt; readonly account: string }>();
  account: Account = { id: '1', login: 'alice' };
  readonly #answered = new Map<string, AnsweredInterrupt>();
  readonly #pipeline: ToolPipeline;

  constructor() {
    const tokens = { get: () => Promise.resolve({ kind: 'token', accessToken: `token-${this.account.id}` }) };
    this.#pipeline = toolServices(tokens as unknown as ResourceTokens, recordedAudit().audit).pipeline;
  }

  async use(tool: (typeof TOOLS)[number], toolCallId: string, given: unknown): Promise<void> {
    const registry = {
      title: (name: string) => name,
      call: (_name: string, raw: unknown, call: ToolCall): Promise<ToolOutcome> =>
        this.#pipeline.run(this.#registered(tool), raw, call),
    } as unknown as ToolRegistry;
    this.shown.delete(toolCallId);
    const paused = new PausedCalls([...this.#answered.values()]);
    this.#answered.delete(toolCallId);
    const { signal } = new AbortController();
    const turn = {
      claimed: Promise.resolve(),
      since: 0,
      noteWrite: () => Promise.resolve(),
      doubt: () => undefined,
      doubtedSince: () => undefined,
      settleDoubt: () => undefined,
    };
    const calls = new RunCalls(registry, CONTEXT, { paused, turn });
    await calls.make({ name: tool, toolCallId, input: given, signal });
    const raised = paused.raised(toolCallId);
    if (raised === undefined) return;
    const interrupts = new Interrupts(registry, NO_TICKETS, NO_LEDGER, recordedAudit().audit);
    const { stored } = await interrupts.present(CONTEXT, raised, { number: 1, loopId: 'loop' });
    const account = raised.outcome.kind === 'approval_required' ? raised.outcome.account : undefined;
    // The state in the form in which the bucket returns it.
    this.shown.set(toolCallId, {
      stored: storedInterrupt.parse(JSON.parse(JSON.stringify(stored))),
      account: account?.id ?? '',
    });
  }

  /** The user answers the pending interrupts. Only a clear yes to an approval allows one call. */
  answer(toolCallId: string, payload: unknown, status: 'resolved' | 'cancelled'): void {
    const shown = this.shown.get(toolCallId);
    if (shown === undefined) return;
    const { stored, account } = shown;
    this.#answered.set(toolCallId, { stored, answer: { interruptId: stored.id, status, payload } });
    this.shown.delete(toolCallId);
    const isYes = status === 'resolved' && (payload as { approved?: unknown } | null)?.approved === true;
    if (stored.kind !== 'approval_required' || !isYes) return;
    const { input: own } = payload as { readonly input?: unknown };
    const approved = own === undefined ? stored.input : input.safeParse(own).data;
    if (approved !== undefined)
      this.credits.push(JSON.stringify([stored.tool, approved, account] satisfies Written));
  }

  #registered(name: (typeof TOOLS)[number]): RegisteredTool {
    return {
      options: {
        name,
        title: name,
        description: name,
        input,
        output: z.object({}),
        access: { provider: 'p', scopes: ['w'] },
        effect: 'write',
      },
      offered: {
        provider: {
          id: 'p',
          label: 'P',
          apiBase: 'https://p.example',
          settingsUrl: 'https://p.example',
          scopes: { w: 'Write' },
          tools: [],
        },
        config: { credentialProvider: 'p', apiBase: 'https://p.example', deadlineMs: 10_000 },
        identify: () => Promise.resolve(this.account),
      },
      verify: undefined,
      run: (parsed) => {
        this.written.push(JSON.stringify([name, parsed, this.account.id] satisfies Written));
        return Promise.resolve({});
      },
    };
  }
}

const PAYLOADS: readonly unknown[] = [
  { approved: true },
  { approved: true },
  { approved: true },
  { approved: false },
  { approved: 'true' },
  { approved: true, input: { text: 'z' } },
  { approved: true, input: { text: 'y', to: 'carol' } },
  { approved: true, input: { text: 'y', more: 1 } },
  { approved: true, input: null },
  { approved: false, input: { text: 'z' } },
  { input: { text: 'z' } },
  { approved: true, allow: 'conversation' },
  { switch: true },
  { switch: true, approved: true },
  { switch: false },
  'approved',
  null,
];

describe('approvals', () => {
  beforeAll(() => {
    Logger.overrideLogger(false);
  });

  it('row 27: only calls that the user approved are done, with the account that the user saw, and only once', async () => {
    const claim = new Claim(
      27,
      'random sequences of writes with repeated ids, inputs edited by the model and by the user, changed orders, stale or garbled answers and switched accounts: no write without approval, and none twice',
      SEQUENCES,
    );
    const random = new Random(27);
    let writes = 0;
    for (let sequence = 0; sequence < SEQUENCES; sequence += 1) {
      const conversation = new Conversation();
      const played: string[] = [];
      const latest = new Map<string, readonly [(typeof TOOLS)[number], object]>();
      for (let step = 0; step < STEPS; step += 1) {
        const id = random.pick(USE_IDS);
        const kind = random.below(10);
        if (kind < 5) {
          // Most calls are pending ones. The others are new or edited calls with an id that is in use.
          const waits = latest.get(id);
          const call =
            waits !== undefined && random.below(4) > 0
              ? waits
              : ([
                  random.pick(TOOLS),
                  { text: random.pick(['x', 'y']), ...(random.below(3) === 0 && { to: 'all' }) },
                ] as const);
          latest.set(id, call);
          played.push(`${call[0]} ${id} ${JSON.stringify(call[1])}`);
          await conversation.use(call[0], id, call[1]);
        } else if (kind < 9) {
          const payload = random.pick(PAYLOADS);
          const status = random.below(8) === 0 ? 'cancelled' : 'resolved';
          played.push(`answer ${id} ${status} ${JSON.stringify(payload)}`);
          conversation.answer(id, payload, status);
        } else {
          const next = random.pick(['1', '2']);
          played.push(`account ${next}`);
          conversation.account = { id: next, login: `user-${next}` };
        }
      }
      const unused = [...conversation.credits];
      const covered = conversation.written.every((each) => {
        const at = unused.indexOf(each);
        if (at >= 0) unused.splice(at, 1);
        return at >= 0;
      });
      writes += conversation.written.length;
      claim.check(() => `${played.join('; ')}: wrote ${conversation.written.join()}`, covered);
    }
    claim.check(`${String(writes)} writes were made: approvals have an effect`, writes > SEQUENCES / 10);
    claim.finish();
  }, 120_000);
});
