import type { Json, StoredMessage, ToolResult } from './content.js';
import type { ConversationSummary, EarlierMessages, TurnClaim, TurnRecord } from './conversation.js';
import type { Transcript } from './conversations.js';
import { interruptView, type InterruptView } from './interrupt.js';

export interface MessageView {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly text?: string;
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly input: Json }[];
  readonly toolCallId?: string;
  readonly result?: Json;
}

export interface TurnView {
  readonly seq: number;
  readonly runId: string;
  readonly outcome: TurnRecord['outcome'];
  readonly startedAt: string;
  readonly endedAt: string;
  readonly messages: readonly MessageView[];
}

/** A turn that is in progress. */
export interface RunningView {
  readonly runId: string;
  readonly startedAt: string;
  readonly message?: string;
}

/** What the model is told of the messages that it is not shown any more. The user can still read them. */
export interface EarlierView {
  readonly summary: string;
  readonly messages: number;
  readonly since: number;
}

export interface ConversationView extends ConversationSummary {
  readonly busy: boolean;
  readonly running?: RunningView;
  readonly turns: readonly TurnView[];
  readonly earlier?: EarlierView;
  readonly nextBefore?: number;
  readonly interrupts: readonly InterruptView[];
}

/** A transcript as it is shown to its user. */
export function conversationView({
  summary,
  turns,
  nextBefore,
  pending,
  busy,
  running,
  earlier,
}: Transcript): ConversationView {
  return {
    ...summary,
    busy,
    ...(running !== undefined && { running: runningView(running) }),
    turns: turns.map((turn) => ({
      seq: turn.seq,
      runId: turn.runId,
      outcome: turn.outcome,
      startedAt: new Date(turn.startedAt).toISOString(),
      endedAt: new Date(turn.endedAt).toISOString(),
      messages: turn.messages.flatMap(messageViews),
    })),
    ...(earlier !== undefined && { earlier: earlierView(earlier) }),
    ...(nextBefore !== undefined && { nextBefore }),
    interrupts: pending?.resumable === true ? pending.interrupts.map(interruptView) : [],
  };
}

function earlierView({ text, messages, since }: EarlierMessages): EarlierView {
  return { summary: text, messages, since };
}

function runningView({ runId, startedAt, userText }: TurnClaim): RunningView {
  return {
    runId,
    startedAt: new Date(startedAt).toISOString(),
    ...(userText !== undefined && { message: userText }),
  };
}

/** Tool results travel in messages of the role `user`; people expect them on their own. */
function messageViews({ role, content }: StoredMessage): MessageView[] {
  const text = content.flatMap((block) => ('text' in block ? [block.text] : [])).join('');
  const toolCalls = content.flatMap((block) =>
    'toolUse' in block
      ? [{ id: block.toolUse.toolUseId, name: block.toolUse.name, input: block.toolUse.input }]
      : [],
  );
  const results = content.flatMap((block) => ('toolResult' in block ? [resultView(block.toolResult)] : []));
  if (text === '' && toolCalls.length === 0) return results;
  return [...results, { role, ...(text !== '' && { text }), ...(toolCalls.length > 0 && { toolCalls }) }];
}

function resultView({ toolUseId, content }: ToolResult): MessageView {
  const [first] = content;
  const result = first === undefined ? null : 'json' in first ? first.json : first.text;
  return { role: 'tool', toolCallId: toolUseId, result };
}
