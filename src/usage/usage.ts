import { Inject, Injectable } from '@nestjs/common';
import { LIMITS_CONFIG, type LimitsConfig } from '../config/index.js';
import { dayOf } from './day.js';
import type { Figures, Tokens } from './figures.js';
import { requireWithin, tokensLeft } from './limits.js';
import { StoredUsage } from './stored-usage.js';
import { UsageSync } from './usage-sync.js';
import { UserUsage } from './user-usage.js';

/** A run that counts. */
export interface UsedRun {
  /**
   * The run has ended.
   * @param tokens what it has taken of the model; undefined where it could not begin
   */
  end(tokens: Tokens | undefined): void;
}

/** What a user has taken on a day, of all tasks. */
export interface UsedDay {
  readonly day: string;
  readonly used: Figures;
}

interface Counted {
  readonly usage: UserUsage;
  readonly sync: UsageSync;
}

/**
 * Counts what users take, and refuses what is beyond their limits. Nothing waits for the store: this task writes its
 * figures, and reads those of the others, in the background. So a limit is exact within one task, and what a user has
 * taken of another one counts some seconds later.
 */
@Injectable()
export class Usage {
  readonly limits: LimitsConfig;
  readonly #stored: StoredUsage;
  /** The users of today. */
  readonly #users = new Map<string, Counted>();
  #day = dayOf(Date.now());

  constructor(stored: StoredUsage, @Inject(LIMITS_CONFIG) limits: LimitsConfig) {
    this.#stored = stored;
    this.limits = limits;
  }

  /** Counts a run from its begin to its end. @throws AppError `daily_limit_reached` | `too_many_runs` */
  begin(sub: string): UsedRun {
    const { usage, sync } = this.#of(sub);
    // Also for a run that is refused: the next one may be within the limits.
    sync.soon('read');
    requireWithin(this.limits, usage.total);
    usage.begin();
    sync.soon('write');
    return {
      end: (tokens) => {
        const user = this.#of(sub);
        user.usage.end(tokens);
        user.sync.soon('write');
      },
    };
  }

  /** Whether a user has tokens left today, as far as this task knows. */
  hasTokens(sub: string): boolean {
    return tokensLeft(this.limits, this.#of(sub).usage.total) > 0;
  }

  /** Counts what was taken of the model for a user apart from a run. */
  spend(sub: string, tokens: Tokens): void {
    const { usage, sync } = this.#of(sub);
    usage.spend(tokens);
    sync.soon('write');
  }

  /** What a user has taken today, as the store knows it now. @throws AppError `sessions_unavailable` */
  async read(sub: string): Promise<UsedDay> {
    const { usage } = this.#of(sub);
    const { day } = usage;
    usage.learn(await this.#stored.ofOthers(sub, day));
    return { day, used: usage.total };
  }

  /** Writes what is not written yet, because the process ends. */
  async flush(): Promise<void> {
    await Promise.all([...this.#users.values()].map(({ sync }) => sync.flush()));
  }

  #of(sub: string): Counted {
    const day = dayOf(Date.now());
    if (day !== this.#day) this.#turnTo(day);
    const known = this.#users.get(sub);
    if (known !== undefined) return known;
    const usage = new UserUsage(day);
    const counted = { usage, sync: new UsageSync(this.#stored, sub, usage) };
    this.#users.set(sub, counted);
    return counted;
  }

  #turnTo(day: string): void {
    this.#day = day;
    for (const [sub, { usage }] of this.#users) {
      if (usage.own.running === 0) this.#users.delete(sub);
      else usage.turnTo(day);
    }
  }
}
