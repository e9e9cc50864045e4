import { hkdfSync } from 'node:crypto';
import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import type { z } from 'zod';
import { AppError } from '../../common/errors/index.js';

const LONGEST = 8_192;

/**
 * A value that passes through a browser unread and unchanged: a JWE (`dir`, A256GCM) with an expiry. Each purpose has
 * a key of its own, so that what was sealed for one is no use for another.
 */
export class SealedToken<T extends object> {
  readonly #key: Uint8Array;
  readonly #purpose: string;
  readonly #schema: z.ZodType<T>;

  constructor(options: { readonly secret: string; readonly purpose: string; readonly schema: z.ZodType<T> }) {
    this.#key = new Uint8Array(hkdfSync('sha256', options.secret, 'onbehalf', options.purpose, 32));
    this.#purpose = options.purpose;
    this.#schema = options.schema;
  }

  /** @param expiresAt Unix milliseconds */
  seal(value: T, expiresAt: number): Promise<string> {
    return new EncryptJWT({ value })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setAudience(this.#purpose)
      .setExpirationTime(Math.floor(expiresAt / 1000))
      .encrypt(this.#key);
  }

  /** @throws AppError `flow_invalid` | `flow_expired` */
  async open(token: string): Promise<T> {
    if (token.length > LONGEST) throw new AppError('flow_invalid', { reason: 'sealed_token_length' });
    try {
      const { payload } = await jwtDecrypt(token, this.#key, {
        audience: this.#purpose,
        requiredClaims: ['exp'],
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      return this.#schema.parse(payload.value);
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        throw new AppError('flow_expired', { reason: 'sealed_token_expired' });
      throw new AppError('flow_invalid', { reason: 'sealed_token', cause: error });
    }
  }
}
