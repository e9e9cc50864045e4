import type { Order } from './model.ts';

/** How a run ended for its client: as the stream said, or with the code of an error. */
export type Ended =
  | { readonly kind: 'success' | 'interrupt' | 'cancelled' }
  | { readonly kind: 'failed'; readonly code: string };

/** A run that a client has asked for. */
export interface SentRun {
  readonly runId: string;
  /** Its message; absent where it answers an interrupt. */
  readonly text?: string;
  /** Its first event has come: the message must be in the conversation. */
  accepted: boolean;
  /** Absent until its client has read it to its end. */
  ended?: Ended;
  /** The text that its client has read. */
  answer: string;
}

/** A write at GitHub, which is an issue with a title of its own. */
export interface SoughtWrite {
  readonly title: string;
  /** The client has sent an approval. */
  approved: boolean;
}

export interface WaitingWrite {
  readonly interruptId: string;
  readonly write: SoughtWrite;
}

/** What is known of one conversation by its client alone. */
export class Ledger {
  readonly sessionId: string;
  readonly runs: SentRun[] = [];
  readonly writes: SoughtWrite[] = [];

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  add(order: Order | 'answer', text?: string): SentRun {
    const runId = `${this.sessionId}-run-${String(this.runs.length + 1)}`;
    const run: SentRun = { runId, accepted: false, answer: '', ...(text !== undefined && { text }) };
    this.runs.push(run);
    if (order === 'write') this.writes.push({ title: runId, approved: false });
    return run;
  }

  /** The id of the run that `add` makes next. */
  get nextId(): string {
    return `${this.sessionId}-run-${String(this.runs.length + 1)}`;
  }
}
