import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

type Document = Readonly<Record<string, unknown>>;
type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

/** An OpenID provider's discovery document and keys, for tests: real keys, real sockets. */
export class TestIssuer {
  readonly #server: Server;
  readonly #alg: string;
  readonly #privateKey: PrivateKey;
  /** The paths that were fetched. */
  readonly fetched: string[] = [];
  status = 200;
  /** Members of the discovery document to replace. */
  document: Document = {};
  /** The answer of the keys' address, when it is not the keys. */
  keys: string | undefined;
  keysStatus = 200;

  private constructor(alg: string, privateKey: PrivateKey, jwks: string) {
    this.#alg = alg;
    this.#privateKey = privateKey;
    this.#server = createServer((request, response) => {
      this.fetched.push(request.url ?? '');
      const discovery = { issuer: this.issuer, jwks_uri: `${this.issuer}/keys`, ...this.document };
      const isKeys = request.url?.startsWith('/keys') === true;
      response.writeHead(isKeys ? this.keysStatus : this.status, { location: '/keys' });
      response.end(isKeys ? (this.keys ?? jwks) : JSON.stringify(discovery));
    });
  }

  static async start(alg = 'ES256'): Promise<TestIssuer> {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg };
    const issuer = new TestIssuer(alg, privateKey, JSON.stringify({ keys: [jwk] }));
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get issuer(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** A genuine access token for `client` with members replaced; `undefined` removes one. */
  token(payload: Document = {}, header: Document = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer,
      aud: 'api',
      client_id: 'client',
      sub: 'subject',
      exp: now + 60,
      ...payload,
    };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: this.#alg, kid: 'k', ...header })
      .sign(this.#privateKey);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
