import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startS3, type LocalS3 } from '../../local/s3/s3.ts';
import { clientOf, errorOf } from '../support/s3.ts';

const Bucket = 'bucket';

describe("S3's stand-in, by the unmodified AWS SDK", () => {
  let s3: LocalS3;
  let client: S3Client;

  beforeAll(async () => {
    s3 = await startS3({ buckets: [Bucket] });
    client = clientOf(s3);
  });
  afterAll(async () => {
    client.destroy();
    await s3.close();
  });
  beforeEach(() => s3.reset());

  const put = (
    Key: string,
    Body: NonNullable<PutObjectCommandInput['Body']>,
    more: Partial<PutObjectCommandInput> = {},
  ) => client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const read = async (Key: string): Promise<string | undefined> =>
    (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();

  it.each(['a/b.json', 'a b/ü/+%&?=#.json', "users/eA/it's (1)!*"])(
    'stores an object under %s',
    async (key) => {
      const { ETag } = await put(key, 'text', { Metadata: { one: '1' }, ContentType: 'application/json' });
      expect(await read(key)).toBe('text');
      const head = await client.send(new HeadObjectCommand({ Bucket, Key: key }));
      expect(head).toMatchObject({
        ETag,
        ContentLength: 4,
        ContentType: 'application/json',
        Metadata: { one: '1' },
      });
    },
  );

  it('accepts a stream, which the SDK sends in chunks with a checksum at the end', async () => {
    await put('stream', Readable.from([Buffer.from('first '), Buffer.from('second')]), { ContentLength: 12 });
    expect(await read('stream')).toBe('first second');
  });

  it('honours If-None-Match and If-Match on writes', async () => {
    const { ETag } = await put('key', 'one', { IfNoneMatch: '*' });
    expect(await errorOf(put('key', 'two', { IfNoneMatch: '*' }))).toEqual(['PreconditionFailed', 412]);
    await put('key', 'two', { IfMatch: ETag });
    expect(await errorOf(put('key', 'three', { IfMatch: ETag }))).toEqual(['PreconditionFailed', 412]);
    expect(await errorOf(put('none', 'x', { IfMatch: ETag }))).toEqual(['NoSuchKey', 404]);
    expect(await read('key')).toBe('two');
  });

  it('accepts only one of many parallel conditional writes', async () => {
    const writes = Array.from({ length: 20 }, (_, index) => put('race', String(index), { IfNoneMatch: '*' }));
    const won = (await Promise.allSettled(writes)).filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
  });

  it('lists by prefix and delimiter, page by page, in order', async () => {
    for (const key of ['a/2', 'a/1', 'a/b/1', 'a/b/2', 'c']) await put(key, 'x');
    const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/', Delimiter: '/' }));
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(['a/1', 'a/2']);
    expect(page.CommonPrefixes).toEqual([{ Prefix: 'a/b/' }]);
    const keys: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const next = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2, ContinuationToken }));
      expect(next.KeyCount).toBeLessThanOrEqual(2);
      keys.push(...(next.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = next.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(keys).toEqual(['a/1', 'a/2', 'a/b/1', 'a/b/2', 'c']);
  });

  it('deletes one and many', async () => {
    for (const key of ['one', 'two & <three>', 'four']) await put(key, 'x');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'one' }));
    const Objects = [{ Key: 'two & <three>' }, { Key: 'four' }];
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(s3.store.all()).toEqual([]);
  });

  it('answers with the error classes of the SDK', async () => {
    await expect(read('none')).rejects.toThrow(NoSuchKey);
    await expect(client.send(new HeadObjectCommand({ Bucket, Key: 'none' }))).rejects.toThrow(NotFound);
    await expect(client.send(new HeadBucketCommand({ Bucket: 'another' }))).rejects.toThrow(NotFound);
    expect(await errorOf(client.send(new ListObjectsV2Command({ Bucket: 'another' })))).toEqual([
      'NoSuchBucket',
      404,
    ]);
  });

  it('refuses an unsigned request, and a body that does not match its checksum', async () => {
    expect((await fetch(`${s3.url}/${Bucket}/key`)).status).toBe(403);
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIAOTHER/20260101/eu-central-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;
    const headers = { authorization, 'x-amz-date': '20260101T000000Z' };
    const send = (more: Record<string, string>) =>
      fetch(`${s3.url}/${Bucket}/key`, { method: 'PUT', headers: { ...headers, ...more }, body: 'text' });
    expect((await send({ 'x-amz-checksum-crc32': 'AAAAAA==' })).status).toBe(400);
    expect((await send({ 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })).status).toBe(400);
    expect((await send({})).status).toBe(200);
  });

  it('stores its objects in a folder, if one is given', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'onbehalf-s3-'));
    const before = await startS3({ buckets: [Bucket], directory });
    before.store.put(Bucket, 'a/ü', Buffer.from('text'), {});
    await before.close();
    const after = await startS3({ buckets: [Bucket], directory });
    expect(after.store.get(Bucket, 'a/ü', {}).body.toString()).toBe('text');
    await after.close();
    rmSync(directory, { recursive: true });
  });
});
