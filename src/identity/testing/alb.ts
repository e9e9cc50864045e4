import { createServer, type Server } from 'node:http';
import { generateKeyPairSync, sign } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { AlbConfig } from '../../config/index.js';

const KID = '3f2b8f9e-5d1c-4b7e-9a51-0c6f2d7e8a90';
const padded = (data: string | Buffer): string =>
  Buffer.from(data).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** A load balancer's signing key and its key endpoint, for tests: real keys, real sockets. */
export class TestAlb {
  readonly #key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #server: Server;
  /** Addresses that were fetched. */
  readonly fetched: string[] = [];
  /** The behaviour of the key endpoint: answer the key, answer this status, or break the connection. */
  behaviour: 'answer' | 'reset' | 'garbage' | number = 'answer';

  private constructor() {
    this.#server = createServer((request, response) => {
      this.fetched.push(request.url ?? '');
      if (this.behaviour === 'reset') request.socket.destroy();
      else if (this.behaviour === 'garbage') response.end('<html>Not a key</html>');
      else if (this.behaviour !== 'answer') response.writeHead(this.behaviour).end('no');
      else if (request.url === `/${KID}`)
        response.end(this.#key.publicKey.export({ type: 'spki', format: 'pem' }));
      else response.writeHead(404).end();
    });
  }

  static async start(): Promise<TestAlb> {
    const alb = new TestAlb();
    await new Promise<void>((resolve) => alb.#server.listen(0, '127.0.0.1', resolve));
    return alb;
  }

  get config(): AlbConfig {
    return {
      arn: 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/test/50dc6c495c0c9188',
      issuer: 'https://login.example.com',
      clientId: 'client',
      publicKeysUrl: `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`,
    };
  }

  /** A genuine token with members replaced; `undefined` removes one. */
  token(
    header: Readonly<Record<string, unknown>> = {},
    payload: Readonly<Record<string, unknown>> = {},
  ): string {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const { arn, issuer, clientId } = this.config;
    const genuine = { typ: 'JWT', kid: KID, alg: 'ES256', iss: issuer, client: clientId, signer: arn, exp };
    return this.signed(
      JSON.stringify({ ...genuine, ...header }),
      JSON.stringify({ sub: 'subject', ...payload }),
    );
  }

  signed(header: string, payload: string): string {
    const input = `${padded(header)}.${padded(payload)}`;
    const signature = sign('sha256', Buffer.from(input), {
      key: this.#key.privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `${input}.${padded(signature)}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
