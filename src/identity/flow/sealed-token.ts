import { hkdfSync } from 'node:crypto';
import { decodeProtectedHeader, EncryptJWT, errors, jwtDecrypt } from 'jose';
import type { z } from 'zod';
import { AppError } from '../../common/errors/index.js';
import type { FlowConfig } from '../../config/index.js';

const LONGEST = 8_192;
const KEY_ID_BYTES = 5;

interface Key {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * A value that passes through a browser, which can neither read nor change it: a JWE (`dir`, A256GCM) with an expiry and a
 * key id. Each purpose and each deployment has its own keys, so a value that was sealed for one is useless for another. The
 * first secret seals, and every secret opens, so that a secret can be replaced while flows are open.
 */
export class SealedToken<T extends object> {
  readonly #sealing: Key;
  readonly #keys: readonly Key[];
  readonly #purpose: string;
  readonly #schema: z.ZodType<T>;

  constructor(options: {
    readonly flow: Pick<FlowConfig, 'secret' | 'acceptedSecrets' | 'publicUrl'>;
    readonly purpose: string;
    readonly schema: z.ZodType<T>;
  }) {
    const { flow, purpose, schema } = options;
    this.#sealing = keyOf(flow.secret, flow.publicUrl, purpose);
    this.#keys = [
      this.#sealing,
      ...flow.acceptedSecrets.map((secret) => keyOf(secret, flow.publicUrl, purpose)),
    ];
    this.#purpose = purpose;
    this.#schema = schema;
  }

  /** @param expiresAt Unix milliseconds */
  /**
   * Encrypts a value.
   * @param expiresAt Unix milliseconds
   */
  seal(value: T, expiresAt: number): Promise<string> {
    return new EncryptJWT({ value })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: this.#sealing.id })
      .setAudience(this.#purpose)
      .setExpirationTime(Math.floor(expiresAt / 1000))
      .encrypt(this.#sealing.bytes);
  }

  /** @throws AppError `flow_invalid` | `flow_expired` */
  async open(token: string): Promise<T> {
    if (token.length > LONGEST) throw new AppError('flow_invalid', { reason: 'sealed_token_length' });
    try {
      const { kid } = decodeProtectedHeader(token);
      const key = this.#keys.find(({ id }) => id === kid);
      if (key === undefined) throw new AppError('flow_invalid', { reason: 'sealed_token_key' });
      const { payload } = await jwtDecrypt(token, key.bytes, {
        audience: this.#purpose,
        requiredClaims: ['exp'],
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      return this.#schema.parse(payload.value);
    } catch (error) {
      if (error instanceof AppError) throw error;
      if (error instanceof errors.JWTExpired)
        throw new AppError('flow_expired', { reason: 'sealed_token_expired' });
      throw new AppError('flow_invalid', { reason: 'sealed_token', cause: error });
    }
  }
}

/** The id is derived like the key (RFC 5869), and does not reveal the key. */
function keyOf(secret: string, deployment: string, purpose: string): Key {
  const derive = (use: string, bytes: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, 'onbehalf', JSON.stringify([use, purpose, deployment]), bytes));
  return { id: Buffer.from(derive('id', KEY_ID_BYTES)).toString('base64url'), bytes: derive('key', 32) };
}
