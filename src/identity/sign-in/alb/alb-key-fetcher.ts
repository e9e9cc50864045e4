import { createPublicKey } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { AlbJwksCache } from 'aws-jwt-verify/alb-cache';
import { LRUCache } from 'lru-cache';
import { AppError, errorFields } from '../../../common/errors/index.js';

/** The fetcher that `AlbJwksCache` uses. */
type Fetcher = NonNullable<NonNullable<ConstructorParameters<typeof AlbJwksCache>[0]>['fetcher']>;

/** The key endpoint answered that it has no such key. */
export class UnknownKeyError extends Error {}

const FETCHES_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
/** A new key may be used a moment before the key host has it. */
const UNKNOWN_MS = 5_000;
/** So long a key host that has failed is not asked. */
const FAILED_MS = 1_000;
const TIMEOUT_MS = 2_500;
const MAXIMUM_PEM_BYTES = 4_096;

/**
 * Fetches public keys with limits, so that strangers cannot make us flood the key host: at most 30 fetches in any minute. It
 * caches found keys for a day, and remembers for five seconds that a key is unknown. A fetch that fails does not count, and is
 * followed by a second without one. `AlbJwksCache`, which uses this class, keeps parsed keys and joins parallel fetches.
 */
export class AlbKeyFetcher implements Fetcher {
  readonly #logger = new Logger(AlbKeyFetcher.name);
  readonly #unknown = new LRUCache<string, true>({ max: 10_000, ttl: UNKNOWN_MS });
  readonly #known = new LRUCache<string, ArrayBuffer>({ max: 32, ttl: 24 * 3_600_000 });
  /** The start times of the latest fetches, the oldest first; Unix milliseconds. */
  readonly #fetches: number[] = [];
  #askedFrom = 0;

  /** @throws UnknownKeyError | AppError `sign_in_keys_unavailable` | `sign_in_throttled` */
  async fetch(uri: string): Promise<ArrayBuffer> {
    const known = this.#known.get(uri);
    if (known !== undefined) return known;
    if (this.#unknown.has(uri)) throw new UnknownKeyError();
    if (Date.now() < this.#askedFrom) throw unavailable();
    this.#limitRate();
    const pem = await this.#download(uri);
    this.#known.set(uri, pem);
    return pem;
  }

  async #download(uri: string): Promise<ArrayBuffer> {
    let response: Response;
    let body: ArrayBuffer;
    try {
      response = await fetch(uri, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
      body = await response.arrayBuffer();
    } catch (error) {
      this.#logger.warn({ event: 'key_fetch_failed', ...errorFields(error) });
      throw this.#failed(error);
    }
    if (response.ok && isPublicKey(body)) return body;
    // The key host is S3 behind another name: it answers 403 or 404 for a missing key.
    if (response.status === 403 || response.status === 404) {
      this.#unknown.set(uri, true);
      throw new UnknownKeyError();
    }
    this.#logger.warn({ event: 'key_fetch_failed', status: response.status });
    throw this.#failed();
  }

  #failed(cause?: unknown): AppError {
    this.#askedFrom = Date.now() + FAILED_MS;
    // An outage must not use up the fetches of the time after it.
    this.#fetches.pop();
    return unavailable(cause);
  }

  #limitRate(): void {
    const now = Date.now();
    if (this.#fetches.length === FETCHES_PER_MINUTE) {
      if (now - (this.#fetches[0] ?? 0) < MINUTE_MS) {
        throw new AppError('sign_in_throttled', { reason: 'key_fetch_rate' });
      }
      this.#fetches.shift();
    }
    this.#fetches.push(now);
  }
}

function unavailable(cause?: unknown): AppError {
  return new AppError('sign_in_keys_unavailable', { reason: 'key_host', cause });
}

/** Only a key may be cached: a cached error page of a proxy would lock everybody out until it expires. */
function isPublicKey(body: ArrayBuffer): boolean {
  if (body.byteLength > MAXIMUM_PEM_BYTES) return false;
  try {
    return createPublicKey(Buffer.from(body)).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}
