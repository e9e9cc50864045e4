import { Agent, request } from 'node:http';
import { connect } from 'node:net';

export interface Sent {
  readonly method?: string;
  /** The headers in their order; a name may occur twice. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
}

export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The code, if the answer is a problem document. */
  readonly code: string | undefined;
}

/** The number of sockets, small enough for a process on the same two cores. */
export const SOCKETS = 16;

const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });

/** Sends one request byte for byte: no redirects, no normalised path, no merged headers. */
export function send(
  base: string,
  path: string,
  { method = 'GET', headers = [], body }: Sent = {},
): Promise<Received> {
  const { hostname, port } = new URL(base);
  const flat = headers.flatMap(([name, value]) => [name, value]);
  const length = body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))];
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        host: hostname,
        port,
        path,
        method,
        headers: ['host', `${hostname}:${port}`, ...flat, ...length],
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, code: codeIn(text) });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function codeIn(text: string): string | undefined {
  return /^\{"type":"urn:onbehalf:error:\w+".*"code":"(\w+)"/.exec(text)?.[1];
}

/** Sends bytes on a socket, and returns everything that comes back until the other side closes or is silent for `quietMs`. */
export function sendRaw(base: string, bytes: string, quietMs = 300): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => {
      socket.write(Buffer.from(bytes, 'latin1'));
    });
    socket.setTimeout(quietMs, () => {
      socket.destroy();
    });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
  });
}

/** Runs `work` for each item, several at a time. */
export async function inParallel<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
  lanes = SOCKETS,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
