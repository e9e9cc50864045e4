import type { Random } from '../support/random.ts';
import type { Causes } from './causes.ts';
import type { Client } from './client.ts';
import type { Figures } from './figures.ts';
import { Ledger, type SentRun, type WaitingWrite } from './ledger.ts';
import { orderText, type Order } from './model.ts';
import { RunReader, type Manner } from './run-reader.ts';

/** What all players of a soak share. */
export interface Table {
  readonly random: Random;
  readonly figures: Figures;
  readonly causes: Causes;
  /** The time of the last kill; Unix milliseconds. */
  readonly lastKill: () => number;
}

/** A user with a client and a repository at GitHub. */
export interface Owner {
  readonly client: Client;
  readonly place: string;
}

/** The plays of a hundred turns. */
const PLAYS: readonly (readonly [share: number, order: Order, manner: Manner])[] = [
  [40, 'plain', 'reads'],
  [15, 'read', 'reads'],
  [10, 'write', 'reads'],
  [15, 'plain', 'leaves'],
  [10, 'plain', 'repeats'],
  [10, 'plain', 'stops'],
];
const DICE: readonly (readonly [Order, Manner])[] = PLAYS.flatMap(([share, order, manner]) =>
  Array.from({ length: share }, () => [order, manner] as const),
);
const ANSWERS = ['approve', 'approve', 'approve', 'decline', 'go on'] as const;
const MOST_WORDS = 30;
const USABLE_MS = 10_000;

/** Plays one conversation, one turn after the other. */
export class Player {
  readonly ledger: Ledger;
  readonly owner: Owner;
  readonly #table: Table;
  #waiting: WaitingWrite | undefined;
  isBusy = false;

  constructor(sessionId: string, owner: Owner, table: Table) {
    this.ledger = new Ledger(sessionId);
    this.owner = owner;
    this.#table = table;
  }

  /** One turn; another one where the first was in a task that was killed. */
  async play(): Promise<void> {
    this.isBusy = true;
    const killedAt = await this.#turn();
    if (killedAt !== undefined) await this.#proveUsable(killedAt);
    this.isBusy = false;
  }

  #turn(): Promise<number | undefined> {
    const { random, figures } = this.#table;
    const answer = random.pick(ANSWERS);
    if (this.#waiting !== undefined && answer !== 'go on') return this.#answer(this.#waiting, answer);
    this.#waiting = undefined;
    const [order, manner] = random.pick(DICE);
    figures.count(`turns: ${order}`);
    return this.#say(order, manner);
  }

  async #say(order: Order, manner: Manner): Promise<number | undefined> {
    const { sessionId, nextId } = this.ledger;
    const words = this.#table.random.below(MOST_WORDS) + 1;
    const message = orderText(order, nextId, words, this.owner.place);
    const run = this.ledger.add(order, message);
    const { end, killedAt } = await this.#read(run, { sessionId, message }, manner);
    const write = this.ledger.writes.at(-1);
    const [interrupt] = end?.outcome?.interrupts ?? [];
    if (interrupt === undefined || write === undefined) return killedAt;
    this.#waiting = { interruptId: interrupt.id, write };
    if (interrupt.reason !== 'approval_required')
      this.#table.figures.break('interrupts that nobody expects', `${run.runId}: ${interrupt.reason}`);
    return killedAt;
  }

  async #answer(
    { interruptId, write }: WaitingWrite,
    answer: 'approve' | 'decline',
  ): Promise<number | undefined> {
    this.#waiting = undefined;
    this.#table.figures.count(`turns: ${answer}`);
    const { sessionId } = this.ledger;
    const given =
      answer === 'approve'
        ? { interruptId, status: 'resolved', payload: { approved: true } }
        : { interruptId, status: 'cancelled' };
    if (answer === 'approve') write.approved = true;
    const run = this.ledger.add('answer');
    return (await this.#read(run, { sessionId, resume: [given] }, 'reads')).killedAt;
  }

  async #read(
    run: SentRun,
    body: object,
    manner: Manner,
  ): Promise<Pick<RunReader, 'end' | 'acceptedAt'> & { readonly killedAt: number | undefined }> {
    const { figures, lastKill, random } = this.#table;
    const { sessionId } = this.ledger;
    const from = Date.now();
    const waits = random.below(2) === 0;
    const wasKilled = (): boolean => lastKill() > from;
    const givesUp = (): boolean => !waits && wasKilled();
    const reader = new RunReader({
      client: this.owner.client,
      figures,
      sessionId,
      run,
      body,
      manner,
      givesUp,
    });
    await reader.read();
    figures.count('turns');
    if (run.ended === undefined) figures.count('runs given up after a kill');
    const killedAt = run.ended === undefined && wasKilled() ? lastKill() : undefined;
    return { end: reader.end, acceptedAt: reader.acceptedAt, killedAt };
  }

  /** A new message, sent again and again, until the conversation takes it. */
  async #proveUsable(killedAt: number): Promise<void> {
    const { figures, causes } = this.#table;
    const { sessionId, nextId } = this.ledger;
    this.#waiting = undefined;
    const message = orderText('plain', nextId, 1, this.owner.place);
    const run = this.ledger.add('plain', message);
    const body = { sessionId, message };
    const reading = { client: this.owner.client, figures, sessionId, run, body, givesUp: () => false };
    const reader = new RunReader({ ...reading, manner: 'reads' });
    await reader.read();
    figures.count('turns');
    const between = { from: killedAt, to: reader.acceptedAt ?? Date.now() };
    if (causes.had(['S3 fails', 'load balancer fails', 'key host fails'], between)) return;
    const ms = between.to - killedAt;
    figures.count('conversations measured after a kill');
    figures.largest('usable after a kill, at most (ms)', ms);
    if (ms > USABLE_MS) figures.break('conversations usable too late', `${sessionId}: ${String(ms)} ms`);
  }
}
