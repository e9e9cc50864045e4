import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { handedIn, Work } from '../telemetry/index.js';
import { awsClientOptions } from './aws-client-options.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

describe('TracedRequestHandler', () => {
  let server: Server;
  let client: S3Client;
  let received: { readonly traceparent: unknown; readonly aws: unknown; readonly signed: string }[];
  let statuses: number[];

  beforeEach(async () => {
    [received, statuses] = [[], []];
    server = createServer(({ headers }, response) => {
      const signed = /SignedHeaders=([^,]*)/.exec(headers.authorization ?? '')?.[1] ?? '';
      received.push({ traceparent: headers.traceparent, aws: headers['x-amzn-trace-id'], signed });
      response.writeHead(statuses.shift() ?? 200).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new S3Client({
      ...awsClientOptions('eu-central-1'),
      endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      forcePathStyle: true,
    });
  });
  afterEach(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });

  const send = (): Promise<unknown> => client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'key' }));

  it('names the trace beside the signature, at each attempt, and counts these', async () => {
    statuses.push(503);
    const work = new Work(handedIn({ traceparent: `00-${TRACE}-${CALLER}-01` }));
    await work.do(send);
    expect(work.requests).toBe(2);
    expect(received).toHaveLength(2);
    for (const { traceparent, aws, signed } of received) {
      expect(traceparent).toBe(`00-${TRACE}-${CALLER}-01`);
      expect(aws).toBe(`Root=1-4bf92f35-${TRACE.slice(8)};Parent=${CALLER};Sampled=1`);
      expect(signed).toContain('x-amz-date');
      expect(signed).not.toContain('trace');
    }
  });

  it('adds nothing outside a trace', async () => {
    await send();
    expect(received).toMatchObject([{ traceparent: undefined, aws: undefined }]);
  });
});
