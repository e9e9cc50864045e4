import { AppError } from '../common/errors/index.js';
import type { LimitsConfig } from '../config/index.js';
import { dayOf, endOf } from './day.js';
import type { Figures } from './figures.js';

/** Whether a user may begin one more run. @throws AppError `daily_limit_reached` | `too_many_runs` */
export function requireWithin(limits: LimitsConfig, used: Figures): void {
  const { runsPerUser, requestsPerDay, tokensPerDay } = limits;
  if (requestsPerDay !== undefined && used.requests >= requestsPerDay)
    throw dailyLimit(
      'requests',
      `You have begun ${String(used.requests)} runs today, and ${String(requestsPerDay)} are allowed.`,
    );
  if (tokensLeft(limits, used) <= 0)
    throw dailyLimit(
      'tokens',
      `Your runs have taken ${String(tokensOf(used))} tokens of the language model today, and ${String(tokensPerDay)} are allowed.`,
    );
  if (used.running >= runsPerUser)
    throw new AppError('too_many_runs', {
      detail: `You have ${String(used.running)} runs in progress, and ${String(runsPerUser)} are allowed. Wait until one has ended, then try again.`,
    });
}

/** Of today; without end where they are not limited. */
export function tokensLeft({ tokensPerDay = Infinity }: LimitsConfig, used: Figures): number {
  return tokensPerDay - tokensOf(used);
}

function tokensOf({ inputTokens, outputTokens }: Figures): number {
  return inputTokens + outputTokens;
}

function dailyLimit(reason: 'requests' | 'tokens', sentence: string): AppError {
  const now = Date.now();
  const end = endOf(dayOf(now));
  const at = new Date(end).toISOString().slice(0, 16).replace('T', ' ');
  return new AppError('daily_limit_reached', {
    reason,
    detail: `${sentence} The day ends at ${at} UTC.`,
    retryAfter: Math.ceil((end - now) / 1000),
  });
}
