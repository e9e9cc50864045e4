import { randomBytes } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { State } from '../lib/state.ts';

/** The session of a signed-in browser. It is stored only in the browser's cookies. */
export interface AlbSession {
  readonly claims: Readonly<Record<string, unknown>> & { readonly sub: string };
  readonly accessToken: string;
}

const NAME = 'AWSELBAuthSessionCookie';
const SHARD_BYTES = 4_000;
const MAXIMUM_SHARDS = 4;

/** The session cookie: encrypted, and cut into shards of 4 KB (`AWSELBAuthSessionCookie-0`, `-1`, …). */
export class SessionCookie {
  readonly #key: Uint8Array;
  readonly #lifetimeS: number;
  readonly #now: () => number;

  constructor(lifetimeS: number, stateFile?: string, now: () => number = Date.now) {
    const state = new State(() => ({ key: randomBytes(32).toString('base64url') }), stateFile);
    state.save();
    this.#key = Buffer.from(state.value.key, 'base64url');
    this.#lifetimeS = lifetimeS;
    this.#now = now;
  }

  async write(session: AlbSession): Promise<string[]> {
    const value = await new EncryptJWT({ session })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime(Math.floor(this.#now() / 1000) + this.#lifetimeS)
      .encrypt(this.#key);
    const shards = value.match(new RegExp(`.{1,${String(SHARD_BYTES)}}`, 'g')) ?? [];
    const used = shards.map((shard, index) => cookie(index, shard, this.#lifetimeS));
    const unused = Array.from({ length: MAXIMUM_SHARDS - shards.length }, (_, index) =>
      cookie(shards.length + index, '', 0),
    );
    return [...used, ...unused];
  }

  async read(cookies: ReadonlyMap<string, string>): Promise<AlbSession | undefined> {
    let value = '';
    for (let index = 0; index < MAXIMUM_SHARDS; index += 1)
      value += cookies.get(`${NAME}-${String(index)}`) ?? '';
    if (value === '') return undefined;
    try {
      return (await jwtDecrypt(value, this.#key, { currentDate: new Date(this.#now()) })).payload
        .session as AlbSession;
    } catch {
      return undefined;
    }
  }
}

function cookie(index: number, value: string, maxAgeS: number): string {
  return `${NAME}-${String(index)}=${value}; Path=/; Max-Age=${String(maxAgeS)}; HttpOnly; SameSite=None; Secure`;
}
