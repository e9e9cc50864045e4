import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { RoleProcess } from '../../local/lib/role-process.ts';

/** The event that a load balancer sends to a function, with `lambda.multi_value_headers.enabled`. */
interface AlbEvent {
  readonly httpMethod: string;
  readonly path: string;
  readonly multiValueHeaders: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

interface AlbAnswer {
  readonly statusCode: number;
  readonly multiValueHeaders: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** The limit of a load balancer for events and answers. */
const LARGEST_BYTES = 1024 * 1024;

export interface LambdaTarget {
  readonly url: string;
  /** The largest event or answer so far, in bytes. */
  readonly largest: () => number;
  readonly invocations: () => number;
  close(): void;
}

/**
 * A stand-in for a function behind a load balancer, with the Lambda Web Adapter in front of a role: each request becomes an
 * event and each answer becomes one JSON document. The process is frozen between requests.
 */
export async function startLambdaTarget(role: RoleProcess): Promise<LambdaTarget> {
  let largest = 0;
  let invocations = 0;
  let running = Promise.resolve();
  const measured = <T>(value: T): T => {
    const text = JSON.stringify(value);
    largest = Math.max(largest, Buffer.byteLength(text));
    if (Buffer.byteLength(text) > LARGEST_BYTES) throw new Error('larger than a load balancer takes');
    return JSON.parse(text) as T;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    invocations += 1;
    const event: AlbEvent = measured({
      httpMethod: request.method ?? 'GET',
      path: request.url ?? '/',
      multiValueHeaders: request.headersDistinct as Record<string, string[]>,
      body: (await buffer(request)).toString('base64'),
      isBase64Encoded: true,
    });
    role.process.kill('SIGCONT');
    const { statusCode, multiValueHeaders, body } = measured(await handle(role.url, event));
    role.process.kill('SIGSTOP');
    response.writeHead(statusCode, multiValueHeaders as Record<string, string[]>);
    response.end(Buffer.from(body, 'base64'));
  };
  const server = createServer((request, response) => {
    // One process serves one event at a time.
    running = running
      .then(() => answer(request, response))
      .catch(() => {
        response.writeHead(502).end();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  role.process.kill('SIGSTOP');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    largest: () => largest,
    invocations: () => invocations,
    close: () => {
      role.process.kill('SIGCONT');
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The adapter: turns the event into an HTTP request with additional headers, and the answer into JSON. */
function handle(url: string, event: AlbEvent): Promise<AlbAnswer> {
  const { hostname, port } = new URL(url);
  const added = { 'x-amzn-request-context': ['{"elb":{}}'], 'x-amzn-lambda-context': ['{}'] };
  const headers = Object.entries({ ...event.multiValueHeaders, ...added }).flatMap(([name, values]) =>
    values.flatMap((value) => [name, value]),
  );
  return new Promise((resolve, reject) => {
    const request = send(
      { hostname, port, method: event.httpMethod, path: event.path, headers, agent: false },
      (answer) => {
        buffer(answer).then((body) => {
          resolve({
            statusCode: answer.statusCode ?? 502,
            multiValueHeaders: answer.headersDistinct as Record<string, string[]>,
            body: body.toString('base64'),
            isBase64Encoded: true,
          });
        }, reject);
      },
    );
    request.on('error', reject);
    request.end(Buffer.from(event.body, 'base64'));
  });
}
