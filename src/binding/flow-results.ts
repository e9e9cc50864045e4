import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { FLOW_CONFIG, type FlowConfig } from '../config/index.js';
import { SealedToken } from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import { cookieName, cookieValue, setCookie } from './cookies.js';

const RESULT_CODES = [
  'flow_invalid',
  'flow_expired',
  'flow_burnt',
  'flow_wrong_account',
  'flow_wrong_browser',
] as const;

const waiting = z.strictObject({ sessionId: z.string(), interruptId: z.string() });

const flowResult = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['done', 'already_done', 'denied', 'in_progress']),
    provider: z.string(),
    /** The account at the provider that the user connected before. */
    account: z.string().optional(),
    /** The interrupt that the waiting page shows; present only when the flow has just ended. */
    waiting: waiting.optional(),
  }),
  z.strictObject({ kind: z.literal('refused'), code: z.enum(RESULT_CODES), requestId: z.string() }),
]);

/** The result that a user is shown at the end. */
export type FlowResult = z.infer<typeof flowResult>;
export type RefusalCode = (typeof RESULT_CODES)[number];

export function isRefusal(code: string): code is RefusalCode {
  return (RESULT_CODES as readonly string[]).includes(code);
}

const result = z.strictObject({ sub: z.string(), result: flowResult });
const KEPT_S = 5 * 60;

/**
 * Carries the result of a flow from the address with secrets in its query to the same address without a query. The result is
 * a sealed cookie, which is valid for five minutes and for the same user only.
 */
@Injectable()
export class FlowResults {
  readonly #sealed: SealedToken<z.infer<typeof result>>;
  readonly #encrypted: boolean;

  constructor(@Inject(FLOW_CONFIG) flow: FlowConfig) {
    this.#sealed = new SealedToken({ flow, purpose: 'flow-result', schema: result });
    this.#encrypted = flow.publicUrl.startsWith('https:');
  }

  /** A `Set-Cookie` value. */
  async write(user: User, value: FlowResult): Promise<string> {
    const sealed = await this.#sealed.seal({ sub: user.sub, result: value }, Date.now() + KEPT_S * 1000);
    return setCookie(this.#name, sealed, KEPT_S, this.#encrypted);
  }

  /** The result that was stored for this user in this browser; undefined when there is none, or it is too old. */
  async read(user: User, cookieHeader: string | undefined): Promise<FlowResult | undefined> {
    const value = cookieValue(cookieHeader, this.#name);
    if (value === undefined) return undefined;
    const opened = await this.#sealed.open(value).catch(() => undefined);
    return opened?.sub === user.sub ? opened.result : undefined;
  }

  get #name(): string {
    return cookieName('result', this.#encrypted);
  }
}
