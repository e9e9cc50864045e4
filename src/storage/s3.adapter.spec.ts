import { NoSuchKey, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { recordedLog, type LoggedLine } from '../common/logging/testing/recorded-log.js';
import { timeoutsOf } from '../common/testing/request-handler.js';
import type { WriteCondition } from './object-store.js';
import { S3Adapter } from './s3.adapter.js';

interface Sent {
  readonly client: S3Client;
  readonly name: string;
  readonly input: unknown;
  readonly options: unknown;
}

const Bucket = 'conversations';
const DEADLINE_MS = 300;
const failure = (httpStatusCode?: number, attempts?: number): S3ServiceException =>
  new S3ServiceException({
    name: 'Fault',
    $fault: 'server',
    message: 'SECRET',
    $metadata: {
      requestId: 'aws-1',
      ...(httpStatusCode !== undefined && { httpStatusCode }),
      ...(attempts !== undefined && { attempts }),
    },
  });
const noSuchKey = new NoSuchKey({ message: 'none', $metadata: { httpStatusCode: 404 } });
const bodyOf = (text: string): object => ({ transformToString: () => Promise.resolve(text) });

describe('S3Adapter', () => {
  let sent: Sent[];
  let answers: (object | Error)[];
  let log: readonly LoggedLine[];
  let adapter: S3Adapter;

  beforeEach(() => {
    [sent, answers] = [[], []];
    log = recordedLog();
    const send = function (
      this: S3Client,
      command: { readonly input: unknown },
      options: unknown,
    ): Promise<object> {
      sent.push({ client: this, name: command.constructor.name, input: command.input, options });
      const answer = answers.shift() ?? {};
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    jest.spyOn(S3Client.prototype, 'send').mockImplementation(send as never);
    adapter = new S3Adapter({
      bucket: Bucket,
      region: 'eu-west-1',
      pathStyle: false,
      deadlineMs: DEADLINE_MS,
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const inputs = (): readonly unknown[] => sent.map(({ input }) => input);
  const names = (): readonly string[] => sent.map(({ name }) => name);

  it('calls the configured region, three times at most, with a time limit', async () => {
    answers = [{ Body: bodyOf('text'), ETag: '"1"' }];
    await adapter.get('key');
    const { config } = sent[0]?.client ?? new S3Client();
    expect(await config.region()).toBe('eu-west-1');
    expect(await config.maxAttempts()).toBe(3);
    expect(await timeoutsOf(config.requestHandler)).toMatchObject({
      connectionTimeout: 2_000,
      requestTimeout: 8_000,
      throwOnRequestTimeout: true,
    });
  });

  describe('a call that S3 does not answer', () => {
    const never = { then: () => undefined };
    const calls: readonly (readonly [string, (signal?: AbortSignal) => Promise<unknown>])[] = [
      ['GetObject', (signal) => adapter.get('key', signal)],
      ['GetObject', (signal) => adapter.find('key', signal)],
      ['PutObject', (signal) => adapter.put('key', '{}', { always: true }, { signal })],
      ['ListObjectsV2', () => adapter.list('prefix/', 1)],
      ['HeadObject', () => adapter.head('key')],
      ['DeleteObjects', () => adapter.delete(['key'])],
      ['DeleteObject', () => adapter.deleteVersion('key', '"1"')],
    ];

    it.each(calls)('%s ends at its deadline', async (operation, call) => {
      answers = [never];
      const startedAt = performance.now();
      await expect(call()).rejects.toMatchObject({
        code: 'sessions_unavailable',
        reason: operation,
        cause: { name: 'DeadlineError' },
      });
      expect(performance.now() - startedAt).toBeGreaterThan(DEADLINE_MS - 10);
      expect(sent[0]?.options).toMatchObject({ abortSignal: { aborted: true } });
      expect(log).toMatchObject([{ fields: { event: 'sessions_call_failed', error: 'DeadlineError' } }]);
    });

    it('ends at its deadline in the middle of an answer', async () => {
      answers = [{ Body: { transformToString: () => never } }];
      await expect(adapter.get('key')).rejects.toMatchObject({ cause: { name: 'DeadlineError' } });
    });

    it.each(calls.slice(0, 3))(
      '%s ends when its caller has gone, and is no fault',
      async (_operation, call) => {
        answers = [never];
        const caller = new AbortController();
        const waiting = call(caller.signal);
        const reason = new Error('gone');
        caller.abort(reason);
        await expect(waiting).rejects.toMatchObject({
          code: 'sessions_unavailable',
          reason: 'aborted',
          cause: reason,
        });
        expect(sent[0]?.options).toMatchObject({ abortSignal: { aborted: true } });
        expect(log).toEqual([]);
      },
    );

    it('writes a note beside the text', async () => {
      answers = [{ ETag: '"1"' }];
      await adapter.put('key', '{}', { always: true }, { note: 'abc' });
      expect(inputs()).toMatchObject([{ Body: '{}', Metadata: { note: 'abc' } }]);
    });

    it('does not write again after a collision when its caller has gone', async () => {
      answers = [failure(409), { ETag: '"2"' }];
      const caller = new AbortController();
      const waiting = adapter.put('key', '{}', { ifAbsent: true }, { signal: caller.signal });
      caller.abort();
      await expect(waiting).rejects.toMatchObject({ reason: 'aborted' });
      expect(names()).toHaveLength(1);
    });
  });

  describe('get', () => {
    it('returns the text and its version', async () => {
      answers = [{ Body: bodyOf('text'), ETag: '"1"' }];
      expect(await adapter.get('key')).toEqual({ text: 'text', version: '"1"' });
      expect(names()).toEqual(['GetObjectCommand']);
      expect(inputs()).toStrictEqual([{ Bucket, Key: 'key' }]);
    });

    it('reads text as UTF-8', async () => {
      const transformToString = jest.fn<(encoding: string) => Promise<string>>().mockResolvedValue('text');
      answers = [{ Body: { transformToString }, ETag: '"1"' }];
      await adapter.get('key');
      expect(transformToString).toHaveBeenCalledWith('utf8');
    });

    it.each([
      ['a version', { Body: bodyOf('text') }],
      ['a body', { ETag: '"1"' }],
    ])('reports an answer without %s', async (_name, answer) => {
      answers = [answer, answer, answer];
      await expect(adapter.get('key')).rejects.toMatchObject({ code: 'sessions_unavailable' });
    });

    it('returns undefined for a missing object', async () => {
      answers = [noSuchKey];
      expect(await adapter.get('key')).toBeUndefined();
      expect(log).toEqual([]);
    });

    const cutOff = { Body: { transformToString: () => Promise.reject(new Error('reset')) } };

    it('reads an answer again that breaks off', async () => {
      answers = [cutOff, cutOff, { Body: bodyOf('text'), ETag: '"1"' }];
      expect(await adapter.get('key')).toEqual({ text: 'text', version: '"1"' });
      expect(names()).toHaveLength(3);
    });

    it('reports an answer that breaks off each time', async () => {
      answers = [cutOff, cutOff, cutOff, { Body: bodyOf('text') }];
      await expect(adapter.get('key')).rejects.toMatchObject({ code: 'sessions_unavailable' });
      expect(names()).toHaveLength(3);
    });
  });

  describe('put', () => {
    it.each<[WriteCondition, object]>([
      [{ always: true }, {}],
      [{ ifAbsent: true }, { IfNoneMatch: '*' }],
      [{ ifVersion: '"1"' }, { IfMatch: '"1"' }],
    ])('writes JSON on the condition %j, and returns the version', async (condition, more) => {
      answers = [{ ETag: '"2"' }];
      expect(await adapter.put('key', '{}', condition)).toEqual({ version: '"2"' });
      expect(names()).toEqual(['PutObjectCommand']);
      expect(inputs()).toStrictEqual([
        { Bucket, Key: 'key', Body: '{}', ContentType: 'application/json', ...more },
      ]);
    });

    it('reports an answer without a version', async () => {
      const put = adapter.put('key', '{}', { always: true });
      await expect(put).rejects.toMatchObject({ code: 'sessions_unavailable' });
    });

    it.each<[string, Error, WriteCondition]>([
      ['a version that has changed', failure(412), { ifVersion: '"1"' }],
      ['a first attempt', failure(412, 1), { ifVersion: '"1"' }],
      ['a version of a deleted object', noSuchKey, { ifVersion: '"1"' }],
    ])('returns a conflict for %s', async (_name, error, condition) => {
      answers = [error];
      expect(await adapter.put('key', '{}', condition)).toBe('conflict');
      expect(names()).toEqual(['PutObjectCommand']);
      expect(log).toEqual([]);
    });

    it.each<[string, Error, WriteCondition]>([
      ['a missing object, without a version in the condition', noSuchKey, { ifAbsent: true }],
      ['another status', failure(500), { ifVersion: '"1"' }],
      ['no status', failure(), { ifVersion: '"1"' }],
      ['no answer', new Error('reset'), { ifVersion: '"1"' }],
      [
        'no answer of S3',
        Object.assign(new Error('other'), { $metadata: { httpStatusCode: 412 } }),
        { always: true },
      ],
    ])('returns no conflict for %s', async (_name, error, condition) => {
      answers = [error];
      await expect(adapter.put('key', '{}', condition)).rejects.toMatchObject({
        code: 'sessions_unavailable',
        reason: 'PutObject',
        cause: error,
      });
    });

    it('tries again when two writes have collided', async () => {
      answers = [failure(409), failure(409), { ETag: '"2"' }];
      expect(await adapter.put('key', '{}', { ifAbsent: true })).toEqual({ version: '"2"' });
      expect(names()).toHaveLength(3);
    });

    it('returns a conflict when two writes collide each time', async () => {
      answers = [failure(409), failure(409), failure(409), { ETag: '"2"' }];
      expect(await adapter.put('key', '{}', { ifAbsent: true })).toBe('conflict');
      expect(names()).toHaveLength(3);
    });

    const second = failure(412, 2);
    it('recognizes its own write when only the answer was lost', async () => {
      answers = [second, { Body: bodyOf('{}'), ETag: '"2"' }];
      expect(await adapter.put('key', '{}', { ifAbsent: true })).toEqual({ version: '"2"' });
      expect(names()).toEqual(['PutObjectCommand', 'GetObjectCommand']);
    });

    it.each([
      ['another object exists', { Body: bodyOf('{"a":1}'), ETag: '"2"' }],
      ['no object exists', noSuchKey],
    ])('returns a conflict after a retry when %s', async (_name, stored) => {
      answers = [second, stored];
      expect(await adapter.put('key', '{}', { ifAbsent: true })).toBe('conflict');
    });

    it('reports an unknown result, and logs it once', async () => {
      answers = [second, failure(500)];
      await expect(adapter.put('key', '{}', { ifAbsent: true })).rejects.toMatchObject({
        code: 'sessions_unavailable',
        reason: 'PutObject',
      });
      expect(log).toHaveLength(1);
    });
  });

  describe('list', () => {
    const modifiedAt = new Date(1_000);
    const page = (keys: readonly string[], token?: string): object => ({
      Contents: keys.map((Key) => ({ Key, LastModified: modifiedAt })),
      ...(token !== undefined && { NextContinuationToken: token }),
    });

    it('returns all keys, page by page', async () => {
      answers = [page(['a', 'b'], 'next'), page(['c'])];
      const listed = await adapter.list('prefix/', 10);
      expect(listed).toEqual(['a', 'b', 'c'].map((key) => ({ key, modifiedAt })));
      expect(new Set(names())).toEqual(new Set(['ListObjectsV2Command']));
      expect(inputs()).toEqual([
        { Bucket, Prefix: 'prefix/', MaxKeys: 10, ContinuationToken: undefined },
        { Bucket, Prefix: 'prefix/', MaxKeys: 8, ContinuationToken: 'next' },
      ]);
    });

    it('stops at its limit', async () => {
      answers = [page(['a', 'b'], 'next')];
      expect(await adapter.list('prefix/', 2)).toHaveLength(2);
      expect(sent).toHaveLength(1);
    });

    it('begins after a key', async () => {
      answers = [{}];
      await adapter.list('prefix/', 1, { after: 'prefix/a' });
      expect(inputs()).toMatchObject([{ Prefix: 'prefix/', StartAfter: 'prefix/a' }]);
    });

    it('asks for at most 1000 keys at a time', async () => {
      answers = [{}];
      expect(await adapter.list('prefix/', 10_000)).toEqual([]);
      expect(inputs()).toMatchObject([{ MaxKeys: 1_000 }]);
    });

    it('leaves out an entry without a key, and treats an entry without a time as the oldest', async () => {
      answers = [{ Contents: [{ LastModified: modifiedAt }, { Key: 'a' }] }];
      expect(await adapter.list('prefix/', 10)).toEqual([{ key: 'a', modifiedAt: new Date(0) }]);
    });
  });

  describe('delete', () => {
    it('makes no call when there is nothing to delete', async () => {
      await adapter.delete([]);
      expect(sent).toEqual([]);
    });

    it('deletes at most 1000 keys at a time', async () => {
      const keys = Array.from({ length: 2_001 }, (_, n) => String(n));
      await adapter.delete(keys);
      const batch = (from: number, to: number): object => ({
        Bucket,
        Delete: { Objects: keys.slice(from, to).map((Key) => ({ Key })), Quiet: true },
      });
      expect(new Set(names())).toEqual(new Set(['DeleteObjectsCommand']));
      expect(inputs()).toStrictEqual([batch(0, 1_000), batch(1_000, 2_000), batch(2_000, 2_001)]);
    });

    it('makes one call for exactly 1000 keys', async () => {
      await adapter.delete(Array.from({ length: 1_000 }, (_, n) => String(n)));
      expect(sent).toHaveLength(1);
    });

    it('reports keys that could not be deleted', async () => {
      answers = [{ Errors: [{ Key: 'a', Code: 'AccessDenied' }] }];
      await expect(adapter.delete(['a'])).rejects.toMatchObject({
        code: 'sessions_unavailable',
        reason: 'DeleteObjects',
      });
    });

    it('accepts an empty list of errors', async () => {
      answers = [{ Errors: [] }];
      await expect(adapter.delete(['a'])).resolves.toBeUndefined();
    });
  });

  describe('deleteVersion', () => {
    it('deletes an unchanged object', async () => {
      await adapter.deleteVersion('key', '"1"');
      expect(names()).toEqual(['DeleteObjectCommand']);
      expect(inputs()).toStrictEqual([{ Bucket, Key: 'key', IfMatch: '"1"' }]);
    });

    it.each([
      ['has changed', failure(412)],
      ['is changing', failure(409)],
      ['is gone', noSuchKey],
    ])('does not delete an object that %s', async (_name, error) => {
      answers = [error];
      await expect(adapter.deleteVersion('key', '"1"')).resolves.toBeUndefined();
      expect(log).toEqual([]);
    });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['GetObject', () => adapter.get('key')],
    ['PutObject', () => adapter.put('key', '{}', { always: true })],
    ['ListObjectsV2', () => adapter.list('prefix/', 1)],
    ['HeadObject', () => adapter.head('key')],
    ['DeleteObjects', () => adapter.delete(['key'])],
    ['DeleteObject', () => adapter.deleteVersion('key', '"1"')],
  ])('reports unavailable conversations when %s fails, and logs no text of S3', async (operation, call) => {
    const error = failure(500);
    answers = [error];
    await expect(call()).rejects.toMatchObject({
      code: 'sessions_unavailable',
      reason: operation,
      cause: error,
    });
    expect(log).toMatchObject([
      {
        level: 'error',
        context: 'S3Adapter',
        fields: { event: 'sessions_call_failed', operation, error: 'Fault', awsRequestId: 'aws-1' },
      },
    ]);
    expect(JSON.stringify(log)).not.toContain('SECRET');
  });

  it('closes its connections at the end', async () => {
    answers = [{ Body: bodyOf('text'), ETag: '"1"' }];
    await adapter.get('key');
    const destroy = jest.spyOn(sent[0]?.client ?? new S3Client(), 'destroy');
    adapter.onApplicationShutdown();
    expect(destroy).toHaveBeenCalledTimes(1);
  });
});
