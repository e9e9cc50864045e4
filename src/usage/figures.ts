import { z } from 'zod';

/** What a user has taken on one day. */
export const figures = z.strictObject({
  /** Runs that were begun. */
  requests: z.int().min(0),
  inputTokens: z.int().min(0),
  outputTokens: z.int().min(0),
  /** Runs in progress. */
  running: z.int().min(0),
});
export type Figures = z.infer<typeof figures>;

/** The tokens of the model that a run has taken. */
export type Tokens = Pick<Figures, 'inputTokens' | 'outputTokens'>;

export const NOTHING: Figures = { requests: 0, inputTokens: 0, outputTokens: 0, running: 0 };

export function sum(all: readonly Figures[]): Figures {
  return all.reduce(
    (total, each) => ({
      requests: total.requests + each.requests,
      inputTokens: total.inputTokens + each.inputTokens,
      outputTokens: total.outputTokens + each.outputTokens,
      running: total.running + each.running,
    }),
    NOTHING,
  );
}
