import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FaultSwitch } from '../../local/lib/faults.ts';
import type { LocalStack } from '../../local/stack.ts';
import type { Random } from '../support/random.ts';
import type { Cause, Causes } from './causes.ts';
import type { Figures } from './figures.ts';
import type { AgentTasks } from './tasks.ts';

interface StormPart {
  readonly cause: Cause;
  readonly faults: FaultSwitch;
  /** Done ahead of the faults, so that the part is asked at all. */
  readonly first?: () => void;
  /** The most requests that meet a fault; all of a burst when absent. */
  readonly most?: number;
}

const SHORTEST_BURST_MS = 500;
const LONGEST_BURST_MS = 3_000;
const LONGEST_DELAY_MS = 500;
const LONGEST_CALM_MS = 6_000;
/** Between two changes of a task. */
const BETWEEN_CHANGES_MS = 20_000;
/** Longer than it takes to give a dead task up. */
const QUIET_MS = 12_000;
/** A task looks up 30 unknown keys in a minute, and then none. */
const LOOKUPS = 5;
const REQUESTS = [1, 3, 10, Infinity];
const STATUSES = [429, 500, 503];

/** Faults of every part that a turn needs, and kills and deploys of a task, by chance. */
export class Storm {
  readonly #parts: readonly StormPart[];
  readonly #tasks: AgentTasks;
  readonly #causes: Causes;
  readonly #figures: Figures;
  readonly #random: Random;
  #quietUntil = 0;

  constructor(
    stack: LocalStack,
    tasks: AgentTasks,
    {
      causes,
      figures,
      random,
    }: { readonly causes: Causes; readonly figures: Figures; readonly random: Random },
  ) {
    const { loadBalancer, agentCoreIdentity, gitHub, bedrock, s3 } = stack;
    const rotateKey = (): void => {
      loadBalancer.signer.rotate();
    };
    this.#parts = [
      { cause: 'load balancer fails', faults: loadBalancer.faults },
      { cause: 'key host fails', faults: loadBalancer.keyFaults, first: rotateKey, most: LOOKUPS },
      { cause: 'AgentCore Identity fails', faults: agentCoreIdentity.faults },
      { cause: 'GitHub fails', faults: gitHub.faults },
      { cause: 'Bedrock fails', faults: bedrock.faults },
      { cause: 'S3 fails', faults: s3.faults },
    ];
    [this.#tasks, this.#causes, this.#figures, this.#random] = [tasks, causes, figures, random];
  }

  /** Goes on until the signal aborts, and leaves every part in order. */
  async rage(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#failParts(signal), this.#changeTasks(signal)]);
  }

  async #failParts(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(this.#random.below(LONGEST_CALM_MS), signal);
      if (signal.aborted) return;
      if (Date.now() >= this.#quietUntil) await this.#burst(this.#random.pick(this.#parts), signal);
    }
  }

  async #burst({ cause, faults, first, most = Infinity }: StormPart, signal: AbortSignal): Promise<void> {
    first?.();
    const end = this.#causes.begin(cause);
    const planned = faults.plan(/./, this.#fault(), Math.min(most, this.#random.pick(REQUESTS)));
    await pause(SHORTEST_BURST_MS + this.#random.below(LONGEST_BURST_MS - SHORTEST_BURST_MS), signal);
    faults.remove((fault) => fault === planned);
    end();
    this.#figures.count('bursts of faults');
    this.#figures.count('requests that met a fault', planned.met);
  }

  #fault(): Fault {
    const faults: readonly (() => Fault)[] = [
      () => ({ kind: 'delay', ms: this.#random.below(LONGEST_DELAY_MS) + 1 }),
      () => ({ kind: 'reset' }),
      () => ({ kind: 'truncate' }),
      () => ({ kind: 'unanswered' }),
      () => ({ kind: 'answer', status: this.#random.pick(STATUSES) }),
    ];
    return this.#random.pick(faults)();
  }

  /** Every second kill is followed by a time without faults, so that the time until a conversation is free is measured. */
  async #changeTasks(signal: AbortSignal): Promise<void> {
    for (let change = 0; ; change += 1) {
      await pause(BETWEEN_CHANGES_MS / 2 + this.#random.below(BETWEEN_CHANGES_MS), signal);
      if (signal.aborted) return;
      if (change % 4 === 0) this.#quietUntil = Date.now() + QUIET_MS;
      if (change % 2 === 0) await this.#tasks.kill();
      else await this.#tasks.replace();
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
