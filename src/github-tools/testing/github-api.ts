import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the API has received it. */
export interface SeenRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** The parsed body, or undefined where there is none. */
  readonly body: unknown;
}

/** A server in GitHub's place, which answers every request alike, for tests. */
export class GitHubApi {
  readonly seen: SeenRequest[] = [];
  /** What it answers. */
  answer: unknown = {};
  headers: Readonly<Record<string, string>> = {};
  status = 200;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        const text = Buffer.concat(chunks).toString('utf8');
        this.seen.push({ method, url, headers, body: text === '' ? undefined : JSON.parse(text) });
        response.writeHead(this.status, this.headers).end(JSON.stringify(this.answer));
      });
    });
  }

  static async start(): Promise<GitHubApi> {
    const api = new GitHubApi();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
