import { createPrivateKey, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { State } from '../lib/state.ts';

export interface TokenHeader {
  readonly iss: string;
  readonly client: string;
  readonly signer: string;
  /** Unix seconds. */
  readonly exp: number;
}

interface SignerState {
  kid: string;
  privateKey: string;
}

/**
 * Signs the `x-amzn-oidc-data` token as an Application Load Balancer does: ES256 over base64url segments that keep their `=`
 * padding. The padding is part of the signed input.
 */
export class AlbSigner {
  readonly #state: State<SignerState>;
  #privateKey: KeyObject;

  constructor(stateFile?: string) {
    this.#state = new State<SignerState>(freshKey, stateFile);
    this.#state.save();
    this.#privateKey = createPrivateKey(this.#state.value.privateKey);
  }

  get kid(): string {
    return this.#state.value.kid;
  }

  publicKeyPem(): string {
    return createPublicKey(this.#privateKey).export({ type: 'spki', format: 'pem' }).toString();
  }

  /** Replaces the key, and returns the id of the old key. */
  rotate(): string {
    const { kid } = this.#state.value;
    this.#state.value = freshKey();
    this.#state.save();
    this.#privateKey = createPrivateKey(this.#state.value.privateKey);
    return kid;
  }

  sign(header: TokenHeader, payload: Readonly<Record<string, unknown>>): string {
    const protectedHeader = { typ: 'JWT', kid: this.kid, alg: 'ES256', ...header };
    return this.signText(JSON.stringify(protectedHeader), JSON.stringify(payload));
  }

  /** Signs header and payload exactly as they are given. */
  signText(header: string, payload: string): string {
    const input = `${padded(header)}.${padded(payload)}`;
    const signature = sign('sha256', Buffer.from(input), {
      key: this.#privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `${input}.${padded(signature)}`;
  }
}

/** Base64url with padding (RFC 4648 §5), as the load balancer writes it. */
function padded(data: string | Buffer): string {
  return Buffer.from(data).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function freshKey(): SignerState {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid: randomUUID(), privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
