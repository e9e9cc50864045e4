import { noteServerTime } from './clock.ts';

/** An answer of the service that says what is wrong: a problem document of RFC 9457. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;

  constructor(status: number, code: string, detail: string, requestId: string | undefined) {
    super(detail);
    [this.status, this.code, this.requestId] = [status, code, requestId];
  }
}

/** The load balancer knows nobody in this browser any more. */
export class SignedOut extends Error {
  override readonly name = 'SignedOut';
}

/** The service cannot be reached. */
export class Offline extends Error {
  override readonly name = 'Offline';
}

/** The beginning of a conversation, as the list has it. */
export interface ConversationSummary {
  readonly sessionId: string;
  readonly title: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface MessageView {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly text?: string;
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
  readonly toolCallId?: string;
  readonly result?: unknown;
}

export interface TurnView {
  readonly seq: number;
  readonly runId: string;
  readonly outcome: string;
  readonly messages: readonly MessageView[];
}

export interface ConversationView extends ConversationSummary {
  readonly running?: { readonly runId: string; readonly message?: string };
  readonly turns: readonly TurnView[];
  readonly nextBefore?: number;
  readonly interrupts: readonly { readonly id: string; readonly reason: string }[];
}

export interface ConversationPage {
  readonly sessions: readonly ConversationSummary[];
  readonly next?: string;
}

/** A provider: what its tools can do, and the user's account there. */
export interface ConnectionView {
  readonly provider: string;
  readonly label: string;
  readonly settingsUrl: string;
  readonly scopes: readonly { readonly scope: string; readonly allows: string; readonly why?: string }[];
  readonly tools: readonly {
    readonly name: string;
    readonly title: string;
    readonly effect: 'read' | 'write';
    readonly scopes: readonly string[];
  }[];
  readonly account?: {
    readonly login: string;
    readonly scopes: readonly string[];
    readonly knownAt: string;
    readonly connectedAt?: string;
    readonly lastUse?: { readonly tool: string; readonly sessionId: string; readonly at: string };
  };
  readonly disconnectedAt?: string;
  readonly rules: readonly {
    readonly id: string;
    readonly tool: string;
    readonly sessionId: string;
    readonly within: Readonly<Record<string, string>>;
    readonly expiresAt: string;
  }[];
}

/** What became of a connection. */
export interface Disconnected {
  readonly grant: 'to_revoke' | 'none' | 'by_user' | 'unknown';
  readonly revocation?: { readonly ticket: string };
}

/** What was done in the user's name. */
export interface ReceiptView {
  readonly at: string;
  readonly kind: string;
  readonly provider: string;
  readonly account?: string;
  readonly sessionId?: string;
  readonly tool?: string;
  readonly outcome?: string;
  readonly byRule?: boolean;
  readonly within?: Readonly<Record<string, string>>;
  readonly url?: string;
}

export interface ReceiptPage {
  readonly receipts: readonly ReceiptView[];
  readonly next?: string;
}

/** What the user has taken today. */
export interface UsageView {
  readonly used: { readonly requests: number; readonly inputTokens: number; readonly outputTokens: number };
}

/** The service's own API, at this origin. Every method throws Problem, SignedOut or Offline. */
export const api = {
  conversations: (after?: string): Promise<ConversationPage> =>
    json(`/sessions?limit=30${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`),
  conversation: (id: string, before?: number): Promise<ConversationView> =>
    json(`/sessions/${id}?limit=30${before === undefined ? '' : `&before=${String(before)}`}`),
  renameConversation: async (id: string, title: string): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    await call(`/sessions/${id}`, { method: 'PATCH', headers, body: JSON.stringify({ title }) });
  },
  deleteConversation: async (id: string): Promise<void> => {
    await call(`/sessions/${id}`, { method: 'DELETE' });
  },
  stopRun: async (id: string, conversation: string): Promise<void> => {
    await call(`/runs/${encodeURIComponent(id)}/stop?sessionId=${conversation}`, { method: 'POST' });
  },
  connections: async (): Promise<readonly ConnectionView[]> =>
    (await json<{ readonly connections: readonly ConnectionView[] }>('/connections')).connections,
  disconnect: (provider: string): Promise<Disconnected> =>
    json(`/connections/${provider}`, { method: 'DELETE' }),
  /** Brings the sealed ticket to session binding, which asks the provider. */
  revoke: (ticket: string): Promise<{ readonly outcome: string }> =>
    json('/oauth2/revocation', { method: 'POST', body: new URLSearchParams({ ticket }) }),
  withdrawRule: async (provider: string, id: string): Promise<void> => {
    await call(`/connections/${provider}/rules/${id}`, { method: 'DELETE' });
  },
  receipts: (after?: string): Promise<ReceiptPage> =>
    json(`/receipts?limit=50${after === undefined ? '' : `&after=${after}`}`),
  usage: (): Promise<UsageView> => json('/usage'),
  me: (): Promise<{ readonly displayName?: string }> => json('/me'),
};

/** An answer begins within this time. */
const ANSWER_MS = 30_000;

/** @throws Problem | SignedOut | Offline | whatever an abort throws */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, ANSWER_MS);
  const signal = AbortSignal.any([late.signal, ...(init.signal == null ? [] : [init.signal])]);
  let response: Response;
  try {
    // The load balancer answers a page without a session with a redirect to the identity provider.
    response = await fetch(path, { ...init, signal, redirect: 'manual', credentials: 'same-origin' });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new Offline();
  } finally {
    clearTimeout(timer);
  }
  noteServerTime(response.headers.get('date'));
  if (response.type === 'opaqueredirect' || response.status === 401) throw new SignedOut();
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function json<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await call(path, { ...init, headers: { accept: 'application/json' } });
  try {
    return (await response.json()) as T;
  } catch {
    // It was cut off.
    throw new Offline();
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Partial<
    Record<'code' | 'detail' | 'requestId', string>
  >;
  const { code = `http_${String(response.status)}`, detail = response.statusText, requestId } = body;
  return new Problem(response.status, code, detail, requestId);
}
