import type { Figures } from './figures.ts';
import type { Ledger, SentRun, SoughtWrite } from './ledger.ts';
import type { ConversationView, MessageView, TurnView } from './views.ts';

const LOST = 'messages lost';
const DOUBLED = 'messages doubled';
const ANSWERS_LOST = 'answers lost';
const INVALID = 'histories not valid';

/** Compares a conversation as it is stored with what its client knows. */
export function checkConversation(
  { sessionId, runs }: Ledger,
  { turns, waiting }: ConversationView,
  figures: Figures,
): void {
  const told = countsOf(turns.flatMap(({ messages }) => messages.flatMap(userText)));
  const byRun = Map.groupBy(turns, ({ runId }) => runId);
  for (const run of runs) {
    const times = run.text === undefined ? 1 : (told.get(run.text) ?? 0);
    if (times > 1) figures.break(DOUBLED, `${run.runId}: ${String(times)} times`);
    if (times === 0 && run.accepted) figures.break(LOST, run.runId);
    const stored = byRun.get(run.runId) ?? [];
    if (stored.length > 1) figures.break('runs doubled', run.runId);
    checkAnswer(run, stored[0], figures);
  }
  const gap = turns.findIndex(({ seq }, index) => seq !== index + 1);
  if (gap !== -1) figures.break(INVALID, `${sessionId}: turn ${String(gap + 1)} is missing`);
  checkResults(
    sessionId,
    turns.flatMap(({ messages }) => messages),
    waiting,
    figures,
  );
  figures.count(
    'messages accepted',
    runs.filter(({ text, accepted }) => text !== undefined && accepted).length,
  );
}

/** What a client has read to its end is stored as it was read. */
export function checkAnswer(run: SentRun, stored: TurnView | undefined, figures: Figures): void {
  const { runId, ended, answer } = run;
  if (ended === undefined || ended.kind === 'failed') return;
  figures.count(`answers read to their end: ${ended.kind}`);
  if (stored === undefined) figures.break(ANSWERS_LOST, `${runId} is not stored`);
  else if (stored.outcome !== ended.kind)
    figures.break(ANSWERS_LOST, `${runId} is stored as ${stored.outcome}, and ended in ${ended.kind}`);
  else if (ended.kind === 'success' && textOf(stored.messages) !== answer)
    figures.break(ANSWERS_LOST, `${runId} is stored with another text`);
}

/** Compares what a conversation says of its writes with what GitHub has. */
export function checkWrites(
  { writes }: Ledger,
  { turns }: ConversationView,
  done: ReadonlyMap<string, number>,
  figures: Figures,
): void {
  const messages = turns.flatMap((turn) => turn.messages);
  const results = new Map(
    messages.flatMap(({ toolCallId, result }) =>
      toolCallId === undefined ? [] : [[toolCallId, result] as const],
    ),
  );
  const calls = new Map(
    messages.flatMap(({ toolCalls = [] }) =>
      toolCalls.flatMap(({ id, input }) => titleOf(input).map((title) => [title, id] as const)),
    ),
  );
  for (const write of writes) {
    const call = calls.get(write.title);
    const said = call === undefined ? undefined : saidOf(results.get(call));
    checkWrite(write, said, done.get(write.title) ?? 0, figures);
  }
}

type Said = 'done' | 'not done' | 'unknown' | 'unclear' | undefined;

function checkWrite({ title, approved }: SoughtWrite, said: Said, done: number, figures: Figures): void {
  figures.count('writes done at GitHub', done);
  if (approved) figures.count('writes approved');
  if (said === 'unknown') figures.count('writes whose outcome is said to be unknown');
  if (done > 1) figures.break('writes doubled', title);
  if (done > 0 && !approved) figures.break('writes without approval', title);
  if (done > 0 && said === 'not done') figures.break('writes denied that were done', title);
  if (done === 0 && said === 'done') figures.break('writes claimed that were not done', title);
  if (said === 'unclear') figures.break(INVALID, `${title}: the result says neither`);
}

/** What the result of a write says about it. */
function saidOf(result: unknown): Said {
  if (result === undefined) return undefined;
  if (typeof result === 'string') {
    if (result.includes('may have been done')) return 'unknown';
    return /not done|without allowing/.test(result) ? 'not done' : 'unclear';
  }
  const { error, data } = (result ?? {}) as {
    readonly error?: { readonly code: string };
    readonly data?: unknown;
  };
  if (error !== undefined) return error.code === 'tool_outcome_unknown' ? 'unknown' : 'not done';
  return data === undefined ? 'unclear' : 'done';
}

/** Each call has one result, unless it waits for the user. */
function checkResults(
  sessionId: string,
  messages: readonly MessageView[],
  waiting: readonly string[],
  figures: Figures,
): void {
  const results = countsOf(messages.flatMap(({ toolCallId }) => toolCallId ?? []));
  const calls = messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id));
  for (const id of calls.filter((each) => !waiting.includes(each))) {
    const count = results.get(id) ?? 0;
    if (count !== 1) figures.break(INVALID, `${sessionId}: a call has ${String(count)} results`);
  }
  for (const id of results.keys())
    if (!calls.includes(id)) figures.break(INVALID, `${sessionId}: a result has no call`);
}

function countsOf(values: readonly string[]): Map<string, number> {
  const groups = Map.groupBy(values, (value) => value);
  return new Map([...groups].map(([value, all]) => [value, all.length]));
}

function userText({ role, text }: MessageView): string[] {
  return role === 'user' && text !== undefined ? [text] : [];
}

function textOf(messages: readonly MessageView[]): string {
  return messages.map(({ role, text = '' }) => (role === 'assistant' ? text : '')).join('');
}

function titleOf(input: unknown): string[] {
  const { title } = (input ?? {}) as { readonly title?: unknown };
  return typeof title === 'string' ? [title] : [];
}
