import { setTimeout as delay } from 'node:timers/promises';
import type { MessageView, TurnView } from '../../web/net/api.ts';
import type { Client } from './client.ts';

export type { MessageView, TurnView };

interface Page {
  readonly busy: boolean;
  readonly turns: readonly TurnView[];
  readonly nextBefore?: number;
  readonly interrupts: readonly { readonly toolCallId: string }[];
}

/** A whole conversation, as GET /sessions/{id} shows it. */
export interface ConversationView {
  readonly turns: readonly TurnView[];
  /** The calls that wait for the user. */
  readonly waiting: readonly string[];
}

const PAUSE_MS = 250;
const PAGE = 100;

/** The latest page of a conversation. @returns undefined where it cannot be read now */
export async function readLatest(
  client: Client,
  sessionId: string,
  before?: number,
): Promise<Page | undefined> {
  const from = before === undefined ? '' : `&before=${String(before)}`;
  const reply = await client.ask(`/sessions/${sessionId}?limit=${String(PAGE)}${from}`);
  return reply.kind === 'whole' ? (JSON.parse(reply.text) as Page) : undefined;
}

/** Waits until a conversation is free, and reads it. @returns undefined where it is not free in time */
export async function readWhole(
  client: Client,
  sessionId: string,
  withinMs: number,
): Promise<ConversationView | undefined> {
  const until = Date.now() + withinMs;
  for (;;) {
    const page = await readLatest(client, sessionId);
    if (page?.busy === false) return withEarlier(client, sessionId, page);
    if (Date.now() > until) return undefined;
    await delay(PAUSE_MS);
  }
}

async function withEarlier(
  client: Client,
  sessionId: string,
  latest: Page,
): Promise<ConversationView | undefined> {
  let { turns, nextBefore } = latest;
  while (nextBefore !== undefined) {
    const page = await readLatest(client, sessionId, nextBefore);
    if (page === undefined) return undefined;
    turns = [...page.turns, ...turns];
    ({ nextBefore } = page);
  }
  return { turns, waiting: latest.interrupts.map(({ toolCallId }) => toolCallId) };
}
