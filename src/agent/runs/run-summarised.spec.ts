import { beforeEach, describe, expect, it } from '@jest/globals';
import { recordedAudit } from '../../audit/testing/recorded-audit.js';
import { recordedLog } from '../../common/logging/testing/recorded-log.js';
import type { Conversations } from '../../sessions/index.js';
import { begun, taskOn } from '../../sessions/testing/tasks.js';
import { MemoryStore } from '../../storage/testing/memory-store.js';
import type { ToolOutcome, ToolRegistry } from '../../tools/index.js';
import { Interrupts } from '../interrupts/index.js';
import { ScriptedModel, text, toolCalls, type ScriptedAnswer } from '../strands/testing/scripted-model.js';
import type { RunEvent } from './run-event.js';
import type { RunInput } from './run-request.js';
import { Run } from './run.js';
import { approvalRequired, CALL, context, result, user } from './testing/run-cases.js';

const DATA = '{"earlierConversation":"So far: 33 answers.","untrusted":true}';

describe('Run, in a conversation whose beginning is summarised', () => {
  let conversations: Conversations;
  let outcomes: ToolOutcome[];
  let model: ScriptedModel;

  const registry = {
    title: () => 'Say it',
    specifications: () => [{ name: 'say', title: 'Say it', description: 'Says.', inputSchema: {} }],
    call: () => Promise.resolve(outcomes.shift() ?? result),
  } as unknown as ToolRegistry;
  const nothing = {} as never;
  const events = async (input: RunInput, ...answers: readonly ScriptedAnswer[]): Promise<RunEvent[]> => {
    model = new ScriptedModel(...answers);
    const interrupts = new Interrupts(registry, nothing, nothing, recordedAudit().audit);
    const interruptIds = input.kind === 'resume' ? input.answers.map(({ interruptId }) => interruptId) : [];
    const turnInput = input.kind === 'message' ? input : ({ kind: 'resume', interruptIds } as const);
    const turn = await begun(conversations, turnInput);
    const { signal } = new AbortController();
    const run = new Run({ model, registry, interrupts, modelCalls: 3 }, context, { input, turn, signal });
    const all: RunEvent[] = [];
    for await (const event of run.events()) all.push(event);
    return all;
  };
  const say = (message: string, ...answers: readonly ScriptedAnswer[]): Promise<RunEvent[]> =>
    events({ kind: 'message', text: message }, ...answers);

  beforeEach(async () => {
    recordedLog();
    conversations = taskOn(new MemoryStore());
    outcomes = [];
    for (let count = 0; count < 33; count += 1) await say(`hi ${String(count)}`, text('hello'));
    const leaving = conversations.leaving('alice', 'one');
    if (leaving === undefined) throw new TypeError('there is nothing to summarise');
    await conversations.summarise('alice', 'one', 'So far: 33 answers.', leaving);
  });

  it('shows the model the summary as data, ahead of the messages that it does not cover', async () => {
    await say('and now?', text('fine'));
    const messages = model.asked[0]?.messages ?? [];
    expect(messages).toHaveLength(31);
    expect(messages[0]).toEqual(user({ text: DATA }, { text: 'hi 18' }));
    expect(messages.at(-1)).toEqual(user({ text: 'and now?' }));
  });

  it('tells its user so once', async () => {
    const told = { kind: 'earlier_summarised', messages: 36 };
    expect((await say('and now?', text('fine')))[1]).toEqual(told);
    expect(await say('and then?', text('fine'))).not.toContainEqual(told);
  });

  it('shows it to the model of a resumed run as well', async () => {
    outcomes = [approvalRequired, result];
    const last = (await say('say it', toolCalls(CALL))).at(-1);
    const interrupts = last?.kind === 'interrupted' ? last.interrupts : [];
    const answers = interrupts.map(({ stored: { id } }) => ({
      interruptId: id,
      status: 'resolved' as const,
      payload: { approved: true },
    }));
    await events({ kind: 'resume', answers }, text('done'));
    expect(model.asked[0]?.messages[0]).toEqual(user({ text: DATA }, { text: 'hi 18' }));
  });
});
