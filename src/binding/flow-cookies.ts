import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { FLOW_CONFIG, type FlowConfig } from '../config/index.js';
import { digestOf, type LedgerEntry } from '../identity/flow/index.js';
import { cookieName, cookieValue, setCookie } from './cookies.js';

const NONCE = /^[A-Za-z0-9_-]{22}$/;
const NONCE_BYTES = 16;
const KEPT_AFTERWARDS_S = 60;
/**
 * A user who comes back late still has the cookie. The page then says that the flow has expired, not that the browser is
 * wrong.
 */
const KEPT_AFTER_EXPIRY_S = 5 * 60;

/**
 * The flow cookie proves that the browser that comes back is the browser that started the flow. It holds a random nonce, and
 * the ledger keeps the digest of the nonce. Each flow has its own cookie, so that several flows can run side by side. The
 * cookie expires one minute after the flow has ended, so that a reload within that minute still shows the result.
 */
@Injectable()
export class FlowCookies {
  readonly #encrypted: boolean;

  constructor(@Inject(FLOW_CONFIG) { publicUrl }: FlowConfig) {
    this.#encrypted = publicUrl.startsWith('https:');
  }

  /** The nonce of a browser that starts the flow: its existing nonce, or a new one. */
  nonceFor(entry: LedgerEntry, cookieHeader: string | undefined): string {
    const own = this.#nonceIn(cookieHeader, entry.id);
    return own !== undefined && this.knows(entry, cookieHeader)
      ? own
      : randomBytes(NONCE_BYTES).toString('base64url');
  }

  /** Whether the flow was started in the browser that sends these cookies. */
  knows({ id, record }: LedgerEntry, cookieHeader: string | undefined): boolean {
    const nonce = this.#nonceIn(cookieHeader, id);
    return nonce !== undefined && record.browsers.includes(digestOf(nonce));
  }

  /** A `Set-Cookie` value that outlives the flow by five minutes. */
  write({ id, record }: LedgerEntry, nonce: string): string {
    const seconds = Math.max(0, Math.floor((record.expiresAt - Date.now()) / 1000)) + KEPT_AFTER_EXPIRY_S;
    return setCookie(this.#name(id), nonce, seconds, this.#encrypted);
  }

  /** `Set-Cookie` values for the end of a flow; empty when this browser has no cookie of the flow. */
  retire({ id }: LedgerEntry, cookieHeader: string | undefined): string[] {
    const nonce = this.#nonceIn(cookieHeader, id);
    return nonce === undefined ? [] : [setCookie(this.#name(id), nonce, KEPT_AFTERWARDS_S, this.#encrypted)];
  }

  #nonceIn(cookieHeader: string | undefined, id: string): string | undefined {
    const value = cookieValue(cookieHeader, this.#name(id));
    return value !== undefined && NONCE.test(value) ? value : undefined;
  }

  #name(id: string): string {
    return cookieName(`flow-${id}`, this.#encrypted);
  }
}
