import type {
  ConversationSummary,
  Json,
  StoredInterrupt,
  StoredMessage,
  TurnRecord,
} from './conversation.js';
import type { Transcript } from './conversations.js';

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

export interface ConversationView extends ConversationSummary {
  readonly busy: boolean;
  readonly turns: readonly TurnView[];
  readonly nextBefore?: number;
  readonly interrupts: readonly StoredInterrupt[];
}

/** A transcript as it is shown to its user. */
export function conversationView({
  summary,
  turns,
  nextBefore,
  pending,
  busy,
}: Transcript): ConversationView {
  return {
    ...summary,
    busy,
    turns: turns.map((turn) => ({
      seq: turn.seq,
      runId: turn.runId,
      outcome: turn.outcome,
      startedAt: new Date(turn.startedAt).toISOString(),
      endedAt: new Date(turn.endedAt).toISOString(),
      messages: turn.messages.flatMap(messageViews),
    })),
    ...(nextBefore !== undefined && { nextBefore }),
    interrupts: pending?.resumable === true ? pending.interrupts : [],
  };
}

/** Tool results travel in messages of the role `user`; people expect them on their own. */
function messageViews({ role, content }: StoredMessage): MessageView[] {
  const text = content.flatMap((block) => (typeof block.text === 'string' ? [block.text] : [])).join('');
  const toolCalls = content
    .flatMap((block) => objectIn(block.toolUse))
    .map((use) => ({
      id: textOf(use.toolUseId),
      name: textOf(use.name),
      input: use.input ?? null,
    }));
  const results = content
    .flatMap((block) => objectIn(block.toolResult))
    .map((result): MessageView => ({
      role: 'tool',
      toolCallId: textOf(result.toolUseId),
      result: resultOf(result.content),
    }));
  if (text === '' && toolCalls.length === 0) return results;
  return [...results, { role, ...(text !== '' && { text }), ...(toolCalls.length > 0 && { toolCalls }) }];
}

function resultOf(content: Json | undefined): Json {
  const [first] = Array.isArray(content) ? (content as readonly Json[]) : [];
  const [block] = objectIn(first);
  return block?.json ?? block?.text ?? null;
}

function objectIn(value: Json | undefined): readonly Readonly<Record<string, Json>>[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? [value as Readonly<Record<string, Json>>]
    : [];
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
