import { setTimeout as delay } from 'node:timers/promises';
import type { RoleProcess } from '../lib/role-process.ts';
import type { S3Call } from '../s3/s3-request.ts';
import { PLAIN, READ, WRITE } from './bench-model.ts';
import type { BenchWorld, Measured } from './bench-world.ts';

/** The requests of one turn, or of an average one. */
export interface TurnCounts {
  readonly turn: string;
  readonly gets: number;
  readonly puts: number;
  /** Everything else at S3, such as a list. */
  readonly others: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly identity: number;
  readonly gitHub: number;
  readonly model: number;
  /** The requests to S3 that were answered before the model was asked; absent for an average. */
  readonly inFront?: number;
}

/** S3's answers take so long that the order of its answer and of the question to the model is certain. */
const SLOW_S3_MS = 150;
/** Leases and wishes of tasks, the usage of users, last uses, and the lines of the list, which move once a minute. */
const BY_THE_CLOCK = /^tasks\/|^users\/[^/]+\/(usage|index)\/|\.use\.json$/;
const SEGMENT = 16;
const LONG = 1_000;
/** The model is shown so many messages in the last turn before a summary (ADR 24). */
const SUMMARISED_FROM = 60;
const SUMMARISED_WITHIN_MS = 5_000;

/** Counts the requests of each kind of turn. The counts are exact: they are the same in every run. */
export async function countTurns(world: BenchWorld): Promise<readonly TurnCounts[]> {
  const slow = world.stack.s3.faults.plan(/users\//, { kind: 'delay', ms: SLOW_S3_MS });
  const kinds = await countKinds(world);
  world.stack.s3.faults.remove((fault) => fault === slow);
  return [...kinds, ...(await countLength(world))];
}

async function countKinds(world: BenchWorld): Promise<readonly TurnCounts[]> {
  const [task, other] = world.tasks;
  const say = (turn: string, at: RoleProcess, sessionId: string, message: string): Promise<TurnCounts> =>
    count(world, turn, () => world.say(at, sessionId, message));
  // The first call of a tool also asks the provider whose token it is.
  await world.say(task, 'known', READ);
  const first = await say('first turn of a conversation', task, 'plain', PLAIN);
  const warm = await say('warm turn', task, 'plain', PLAIN);
  const tool = await say('warm turn with a tool call', task, 'plain', READ);
  const cold = await say('cold turn', other, 'plain', PLAIN);
  await approve(world, task, await world.say(task, 'write', WRITE), 'write');
  let paused: Measured | undefined;
  const asked = await count(world, 'write: asks for approval', async () => {
    paused = await world.say(task, 'write', WRITE);
  });
  const approved = await count(world, 'write: approved', () => approve(world, task, paused, 'write'));
  return [first, warm, tool, cold, asked, approved];
}

/** Sixteen turns at three places of a long conversation: one of sixteen moves turns to a segment. */
async function countLength(world: BenchWorld): Promise<readonly TurnCounts[]> {
  const [task] = world.tasks;
  const found: TurnCounts[] = [];
  let turn = 1;
  const talkUpTo = async (end: number): Promise<void> => {
    for (; turn < end; turn += 1) await sayAndSummarise(world, task);
  };
  for (const from of [15, 100, LONG]) {
    await talkUpTo(from);
    const name = `turns ${from.toLocaleString('en')} to ${(from + SEGMENT - 1).toLocaleString('en')}, average`;
    const all = await count(world, name, () => talkUpTo(from + SEGMENT));
    found.push(averageOf(all, SEGMENT));
  }
  return found;
}

/** A turn, and the summary that follows it where the model has been shown so much. */
async function sayAndSummarise(world: BenchWorld, task: RoleProcess): Promise<void> {
  const summaries = (): number => task.output().split('"event":"conversation_summarised"').length;
  const before = summaries();
  await world.say(task, 'long', PLAIN);
  const shown = world.stack.bedrock.requests.findLast(({ toolConfig }) => toolConfig !== undefined);
  if ((shown?.messages.length ?? 0) < SUMMARISED_FROM) return;
  const until = performance.now() + SUMMARISED_WITHIN_MS;
  while (summaries() === before) {
    if (performance.now() > until) throw new Error('The task has not summarised a long conversation.');
    await delay(5);
  }
}

function approve(
  world: BenchWorld,
  task: RoleProcess,
  paused: Measured | undefined,
  sessionId: string,
): Promise<Measured> {
  const interruptId = paused?.interrupts[0]?.id ?? '';
  const resume = [{ interruptId, status: 'resolved', payload: { approved: true } }];
  return world.send(task, { sessionId, resume });
}

async function count(world: BenchWorld, turn: string, work: () => Promise<unknown>): Promise<TurnCounts> {
  const { s3, bedrock } = world.stack;
  const before = seen(world);
  const { model } = bedrock;
  let inFront: readonly S3Call[] | undefined;
  bedrock.model = (request) => {
    inFront ??= s3.calls.slice(before.s3);
    return model(request);
  };
  await work();
  bedrock.model = model;
  const after = seen(world);
  const made = ofTurns(s3.calls.slice(before.s3));
  const gets = made.filter(({ action }) => action === 's3:GetObject');
  const puts = made.filter(({ action }) => action === 's3:PutObject');
  return {
    turn,
    gets: gets.length,
    puts: puts.length,
    others: made.length - gets.length - puts.length,
    bytesRead: bytesOf(gets),
    bytesWritten: bytesOf(puts),
    identity: after.identity - before.identity,
    gitHub: after.gitHub - before.gitHub,
    model: after.model - before.model,
    inFront: ofTurns(inFront ?? []).length,
  };
}

/** The requests that each part has seen so far. */
function seen({ stack }: BenchWorld): Readonly<Record<'s3' | 'identity' | 'gitHub' | 'model', number>> {
  return {
    s3: stack.s3.calls.length,
    identity: stack.agentCoreIdentity.calls.length,
    gitHub: stack.gitHub.faults.requests,
    model: stack.bedrock.requests.length,
  };
}

/** Without the lease of a task and its look for wishes, which it makes by the clock. */
export function ofTurns(calls: readonly S3Call[]): readonly S3Call[] {
  return calls.filter(({ target: { key, prefix } }) => !BY_THE_CLOCK.test(key ?? prefix ?? ''));
}

function bytesOf(calls: readonly S3Call[]): number {
  return calls.reduce((sum, { bytes }) => sum + bytes, 0);
}

function averageOf(sums: TurnCounts, turns: number): TurnCounts {
  const { turn, gets, puts, others, bytesRead, bytesWritten, identity, gitHub, model } = sums;
  return {
    turn,
    gets: gets / turns,
    puts: puts / turns,
    others: others / turns,
    bytesRead: bytesRead / turns,
    bytesWritten: bytesWritten / turns,
    identity: identity / turns,
    gitHub: gitHub / turns,
    model: model / turns,
  };
}
