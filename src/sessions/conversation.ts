/** JSON that this module stores and does not interpret. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A message as the model's API has it: a role and content blocks. */
export interface StoredMessage {
  readonly role: 'user' | 'assistant';
  readonly content: readonly Readonly<Record<string, Json>>[];
}

/** An interrupt that waits for the user's answer. Holds neither a token nor an authorization URL. */
export interface StoredInterrupt {
  /** Unique within the conversation. */
  readonly id: string;
  readonly reason: string;
  readonly toolCallId: string;
  readonly metadata: Readonly<Record<string, Json>>;
}

/** A run that is paused. `state` is the agent's own; it is stored and not interpreted. */
export interface PendingRun {
  readonly interrupts: readonly StoredInterrupt[];
  readonly state: Json;
  /** False after a resume was cut off half-way: what it did is unknown, so it must not run again. */
  readonly resumable: boolean;
}

/** The claim that a running turn has on its conversation. */
export interface TurnClaim {
  /** The number of the turn, from 1; its record's name. */
  readonly seq: number;
  readonly runId: string;
  /** Unix milliseconds; the claim of a task that died lapses then. */
  readonly leaseUntil: number;
  readonly startedAt: number;
  /** What the user typed; absent when the turn resumes a paused run. */
  readonly userText?: string;
  /** The paused run that this turn resumes or closes. */
  readonly taken?: PendingRun;
}

/** The part of a conversation that a turn needs. Its size is bounded however long the conversation grows. */
export interface WorkingSet {
  readonly version: 1;
  readonly sessionId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly title: string;
  /** Turns that are finished; each has a record. */
  readonly turns: number;
  /** Interrupts raised so far: the next one's number. */
  readonly interrupts: number;
  readonly messages: readonly StoredMessage[];
  readonly pending?: PendingRun;
  readonly claim?: TurnClaim;
  /** Unix milliseconds. The conversation is being deleted: nothing begins on it, and what is left of it goes. */
  readonly deletedAt?: number;
}

export type TurnOutcome = 'success' | 'interrupt' | 'cancelled' | 'error' | 'abandoned';

/** One turn, written once and never changed. */
export interface TurnRecord {
  readonly version: 1;
  readonly seq: number;
  readonly runId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: TurnOutcome;
  /** What this turn added to the conversation. */
  readonly messages: readonly StoredMessage[];
  /** The run that it left paused. */
  readonly pending?: PendingRun;
}

/** One line of the list of conversations. */
export interface ConversationSummary {
  readonly sessionId: string;
  readonly title: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

const SESSION_ID = /^[A-Za-z0-9_-]{1,64}$/;

export function isSessionId(value: string): boolean {
  return SESSION_ID.test(value);
}

export function summaryOf({ sessionId, title, createdAt, updatedAt }: WorkingSet): ConversationSummary {
  return {
    sessionId,
    title,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  };
}
