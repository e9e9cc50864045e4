import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { recordedLog, type LoggedLine } from '../../../common/logging/testing/recorded-log.js';
import { AlbKeyFetcher, UnknownKeyError } from './alb-key-fetcher.js';

const pemOf = (namedCurve: string): string =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
const PEM = pemOf('P-256');
const RSA = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();

describe('AlbKeyFetcher', () => {
  let server: Server;
  let fetched: string[];
  let status: number;
  let body: string;
  let fetcher: AlbKeyFetcher;
  let log: readonly LoggedLine[];

  beforeEach(async () => {
    [fetched, status, body] = [[], 200, PEM];
    server = createServer((request, response) => {
      fetched.push(request.url ?? '');
      response.writeHead(status, { location: '/elsewhere' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    log = recordedLog();
    fetcher = new AlbKeyFetcher();
    // The caches captured this object when they were loaded, so the test replaces its method; sockets still use Node's own time.
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
    jest.spyOn(performance, 'now').mockImplementation(() => Date.now());
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    jest.useRealTimers();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const uriOf = (kid: string): string =>
    `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/${kid}`;
  const fetchKey = (kid = 'a'): Promise<ArrayBuffer> => fetcher.fetch(uriOf(kid));
  const pass = (ms: number): void => {
    jest.advanceTimersByTime(ms);
  };

  it('returns the key, and caches it for a day', async () => {
    expect(Buffer.from(await fetchKey()).toString()).toBe(PEM);
    pass(24 * 3_600_000 - 1_000);
    expect(Buffer.from(await fetchKey()).toString()).toBe(PEM);
    expect(fetched).toEqual(['/a']);
    pass(2_000);
    await fetchKey();
    expect(fetched).toEqual(['/a', '/a']);
  });

  it.each([403, 404])('asks again after five seconds for a key that did not exist: %s', async (answered) => {
    status = answered;
    await expect(fetchKey()).rejects.toThrow(UnknownKeyError);
    status = 200;
    pass(5_000);
    await expect(fetchKey()).rejects.toThrow(UnknownKeyError);
    expect(fetched).toHaveLength(1);
    pass(1);
    await expect(fetchKey()).resolves.toBeDefined();
    expect(fetched).toHaveLength(2);
    expect(log).toEqual([]);
  });

  it.each<[string, number, string]>([
    ['a page', 200, '<html>Not a key</html>'],
    ['nothing', 200, ''],
    ['a key of another curve', 200, pemOf('P-384')],
    ['a key of another kind', 200, RSA],
    ['a key with too much other data', 200, PEM + ' '.repeat(4_096)],
    ['a failure', 500, 'no'],
    ['a failure with a key', 500, PEM],
    ['a refusal', 401, 'no'],
  ])('reports unavailable keys when the host answers %s, and tries again', async (_name, code, text) => {
    [status, body] = [code, text];
    await expect(fetchKey()).rejects.toMatchObject({
      code: 'sign_in_keys_unavailable',
      reason: 'key_host',
    });
    expect(log).toEqual([
      { level: 'warn', context: 'AlbKeyFetcher', fields: { event: 'key_fetch_failed', status: code } },
    ]);
    [status, body] = [200, PEM];
    pass(1_000);
    await expect(fetchKey()).resolves.toBeDefined();
  });

  it('asks a host that has failed nothing for a second, and an outage does not use up the fetches', async () => {
    await fetchKey('known');
    status = 500;
    const unavailable = { code: 'sign_in_keys_unavailable', reason: 'key_host' };
    await expect(fetchKey()).rejects.toMatchObject(unavailable);
    for (let ms = 0; ms < 60_000; ms += 100) {
      pass(100);
      await expect(fetchKey(String(ms))).rejects.toMatchObject(unavailable);
    }
    await expect(fetchKey('known')).resolves.toBeDefined();
    expect(fetched).toHaveLength(1 + 1 + 60);
    status = 200;
    pass(1_000);
    await expect(fetchKey()).resolves.toBeDefined();
  });

  it('accepts a key of up to 4096 bytes', async () => {
    body = PEM.padEnd(4_096);
    expect((await fetchKey()).byteLength).toBe(4_096);
  });

  it('follows no redirect', async () => {
    status = 302;
    await expect(fetchKey()).rejects.toMatchObject({ code: 'sign_in_keys_unavailable', reason: 'key_host' });
    expect(fetched).toEqual(['/a']);
  });

  it('reports unavailable keys when the host is down, and logs the reason', async () => {
    const uri = uriOf('a');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(fetcher.fetch(uri)).rejects.toMatchObject({
      code: 'sign_in_keys_unavailable',
      reason: 'key_host',
      cause: { message: 'fetch failed' },
    });
    expect(log).toMatchObject([
      {
        level: 'warn',
        context: 'AlbKeyFetcher',
        fields: { event: 'key_fetch_failed', error: expect.any(String) },
      },
    ]);
  });

  it('fetches at most 30 times in any minute', async () => {
    status = 404;
    const unknown = async (from: number, count: number): Promise<void> => {
      for (let n = from; n < from + count; n += 1)
        await expect(fetchKey(String(n))).rejects.toThrow(UnknownKeyError);
    };
    const throttled = { code: 'sign_in_throttled', reason: 'key_fetch_rate' };
    await unknown(0, 10);
    pass(30_000);
    await unknown(10, 20);
    pass(29_999);
    await expect(fetchKey('more')).rejects.toMatchObject(throttled);
    pass(1);
    await unknown(30, 10);
    await expect(fetchKey('more')).rejects.toMatchObject(throttled);
    expect(fetched).toHaveLength(40);
  });

  it('needs no fetch for a cached key, even when the fetch limit is reached', async () => {
    await fetchKey();
    status = 404;
    for (let n = 0; n < 29; n += 1) await expect(fetchKey(String(n))).rejects.toThrow(UnknownKeyError);
    await expect(fetchKey()).resolves.toBeDefined();
    await expect(fetchKey('0')).rejects.toThrow(UnknownKeyError);
    expect(fetched).toHaveLength(30);
  });
});
