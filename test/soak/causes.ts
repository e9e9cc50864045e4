/** The things of a soak that explain an error: a fault of a part, or a change of a task. */
export type Cause =
  | 'load balancer fails'
  | 'key host fails'
  | 'AgentCore Identity fails'
  | 'GitHub fails'
  | 'Bedrock fails'
  | 'S3 fails'
  | 'task killed'
  | 'task replaced';

interface Span {
  readonly cause: Cause;
  readonly from: number;
  to: number;
}

/** A span of time, as Unix milliseconds. */
export interface Between {
  readonly from: number;
  readonly to: number;
}

/**
 * The causes that may explain each error that a client gets, and the milliseconds after the end of the cause in which it
 * may still come. An error that is not here has no explanation.
 */
const EXPLANATIONS: Readonly<Record<string, Partial<Record<Cause, number>>>> = {
  // The connection broke, or the load balancer itself answered. The events of a run at another task come from S3.
  cut: { 'load balancer fails': 500, 'task killed': 1_000, 'S3 fails': 12_000 },
  http_429: { 'load balancer fails': 500 },
  http_500: { 'load balancer fails': 500 },
  http_502: { 'task killed': 1_000 },
  http_503: { 'load balancer fails': 500 },
  // A task tells that it cannot do its work.
  sign_in_keys_unavailable: { 'key host fails': 6_000 },
  // The key has changed, and the task has never seen the one before.
  unauthenticated: { 'key host fails': 1_000 },
  // All attempts of a call end by its deadline of ten seconds.
  sessions_unavailable: { 'S3 fails': 11_000 },
  shutting_down: { 'task replaced': 1_000 },
  // A claim whose write got no answer is taken back in the background; that of a dead task lapses.
  session_busy: { 'S3 fails': 12_000, 'task killed': 10_000, 'task replaced': 10_000 },
  run_lost: { 'task killed': 14_000 },
  run_not_found: { 'S3 fails': 12_000 },
  session_not_found: { 'S3 fails': 12_000 },
  // The model.
  model_unavailable: { 'Bedrock fails': 3_000 },
  model_throttled: { 'Bedrock fails': 3_000 },
  // The results of tools.
  identity_unavailable: { 'AgentCore Identity fails': 3_000 },
  provider_unavailable: { 'GitHub fails': 3_000 },
  provider_rejected: { 'GitHub fails': 3_000 },
  provider_rate_limited: { 'GitHub fails': 3_000 },
  tool_outcome_unknown: { 'GitHub fails': 3_000, 'task replaced': 1_000 },
  // A read that ends because its run does.
  tool_failed: { 'task replaced': 1_000 },
};

/** The causes of a soak in their time. */
export class Causes {
  readonly #spans: Span[] = [];

  /** @returns ends the cause */
  begin(cause: Cause): () => void {
    const span: Span = { cause, from: Date.now(), to: Infinity };
    this.#spans.push(span);
    return () => {
      span.to = Date.now();
    };
  }

  /** Whether one of the causes was there in a span of time, or up to so many milliseconds before it. */
  had(causes: readonly Cause[], { from, to }: Between, afterMs = 0): boolean {
    return this.#spans.some(
      (span) => causes.includes(span.cause) && span.from <= to && span.to + afterMs >= from,
    );
  }

  explain(code: string, between: Between): boolean {
    const known = Object.entries(EXPLANATIONS[code] ?? {}) as [Cause, number][];
    return known.some(([cause, afterMs]) => this.had([cause], between, afterMs));
  }
}
