import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { consent } from '../audit/index.js';
import { CONFIG, type AppConfig } from '../config/index.js';
import { SealedToken } from '../identity/index.js';

const flow = z.strictObject({
  sub: z.string(),
  sessionUri: z.string(),
  /** What `state` must be when the browser comes back. */
  customState: z.string(),
  /** The provider's name for people. */
  providerLabel: z.string(),
  consent,
  /** The flow has been completed in this browser; what is left is to say so. */
  done: z.boolean(),
  /** Unix milliseconds. */
  expiresAt: z.number(),
});

/** What this browser knows of an authorization that it started. */
export type Flow = z.infer<typeof flow>;

const KEPT_MS = 30 * 60_000;

/**
 * The flow cookie: the proof that the browser that comes back is the one that left. Encrypted, valid for ten minutes,
 * one for each authorization, so that two of them can run side by side.
 */
@Injectable()
export class FlowCookies {
  readonly #sealed: SealedToken<Flow>;
  readonly #encrypted: boolean;

  constructor(@Inject(CONFIG) config: AppConfig) {
    this.#sealed = new SealedToken({ secret: config.flowSecret, purpose: 'flow-cookie', schema: flow });
    this.#encrypted = config.publicUrl.startsWith('https:');
  }

  /** A `Set-Cookie` value. `Lax`, because the browser comes back by a top-level navigation from another site. */
  async write(value: Flow): Promise<string> {
    const sealed = await this.#sealed.seal(value, value.expiresAt);
    // Kept beyond the flow's own expiry, so that a late return is told that it is late.
    const maxAge = Math.max(0, Math.floor((value.expiresAt + KEPT_MS - Date.now()) / 1000));
    const secure = this.#encrypted ? '; Secure' : '';
    return `${this.#name(value.sessionUri)}=${sealed}; Path=/; Max-Age=${String(maxAge)}; HttpOnly; SameSite=Lax${secure}`;
  }

  /**
   * The flow of a session URI, when this browser has started it.
   * @throws AppError `flow_invalid` | `flow_expired`
   */
  async read(cookieHeader: string | undefined, sessionUri: string): Promise<Flow | undefined> {
    const values = cookieValues(cookieHeader ?? '', this.#name(sessionUri));
    // Two cookies of one name: somebody planted one of them. Neither is believed.
    return values.length === 1 && values[0] !== undefined ? this.#sealed.open(values[0]) : undefined;
  }

  /** `__Host-` keeps other hosts of the domain from setting it; browsers take that prefix over HTTPS only. */
  #name(sessionUri: string): string {
    const id = createHash('sha256').update(sessionUri).digest('hex').slice(0, 16);
    return `${this.#encrypted ? '__Host-' : ''}onbehalf-flow-${id}`;
  }
}

function cookieValues(header: string, name: string): string[] {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
