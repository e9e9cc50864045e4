import { randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
  type GetObjectCommandInput,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startS3, type LocalS3 } from '../../local/s3/s3.ts';
import { clientOf, errorOf } from '../support/s3.ts';

const Bucket = 'bucket';
const MIB = 1024 * 1024;

describe("what S3's stand-in does with objects, by the unmodified AWS SDK", () => {
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

  const put = (Key: string, Body: Buffer | string, more: Partial<PutObjectCommandInput> = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const get = (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
    client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  const textOf = async (
    Key: string,
    more: Partial<GetObjectCommandInput> = {},
  ): Promise<string | undefined> => (await get(Key, more)).Body?.transformToString();

  it.each([
    ['bytes=0-3', 'abcd', 'bytes 0-3/10'],
    ['bytes=4-', 'efghij', 'bytes 4-9/10'],
    ['bytes=-3', 'hij', 'bytes 7-9/10'],
    ['bytes=8-99', 'ij', 'bytes 8-9/10'],
    ['bytes=-99', 'abcdefghij', 'bytes 0-9/10'],
  ])('reads the range %s', async (Range, text, ContentRange) => {
    await put('key', 'abcdefghij');
    const answer = await get('key', { Range });
    expect(answer).toMatchObject({ ContentRange, ContentLength: text.length, AcceptRanges: 'bytes' });
    expect(answer.$metadata.httpStatusCode).toBe(206);
    expect(await answer.Body?.transformToString()).toBe(text);
  });

  it('refuses a range behind the end, and answers the whole where the header has another form', async () => {
    await put('key', 'abcdefghij');
    expect(await errorOf(get('key', { Range: 'bytes=10-' }))).toEqual(['InvalidRange', 416]);
    expect(await textOf('key', { Range: 'lines=1-2' })).toBe('abcdefghij');
  });

  it('gives the headers back that were sent, and those that the reader names', async () => {
    const sent = {
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="a.txt"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'en',
      ContentType: 'text/plain',
      StorageClass: 'STANDARD_IA',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'key-1',
      Metadata: { one: '1', two: 'second' },
    } as const;
    await put('key', 'text', sent);
    const shown = await client.send(new HeadObjectCommand({ Bucket, Key: 'key' }));
    expect(shown).toMatchObject(sent);
    expect(
      await get('key', { ResponseContentType: 'text/csv', ResponseCacheControl: 'no-store' }),
    ).toMatchObject({
      ContentType: 'text/csv',
      CacheControl: 'no-store',
    });
    expect(shown.$metadata.requestId).toMatch(/^[0-9A-F]{16}$/);
    expect(shown.$metadata.extendedRequestId).toBeDefined();
  });

  it('honours the conditions of a read by its time', async () => {
    await put('key', 'text');
    const [before, after] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
    expect((await errorOf(get('key', { IfModifiedSince: after })))[1]).toBe(304);
    expect(await errorOf(get('key', { IfUnmodifiedSince: before }))).toEqual(['PreconditionFailed', 412]);
    expect(await textOf('key', { IfModifiedSince: before, IfUnmodifiedSince: after })).toBe('text');
  });

  it('lets everybody who has a presigned URL read and write, until it ends', async () => {
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'a b/ü' }), { expiresIn: 60 });
    expect((await fetch(url, { method: 'PUT', body: 'by link' })).status).toBe(200);
    const read = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a b/ü' }), {
      expiresIn: 60,
    });
    expect(await (await fetch(read)).text()).toBe('by link');
    const signingDate = new Date(Date.now() - 120_000);
    const late = new GetObjectCommand({ Bucket, Key: 'a b/ü' });
    expect((await fetch(await getSignedUrl(client, late, { expiresIn: 60, signingDate }))).status).toBe(403);
  });

  it('takes an object of 21 MB, and one in parts', async () => {
    const large = randomBytes(21 * MIB);
    await put('large', large);
    expect(Buffer.from((await (await get('large')).Body?.transformToByteArray()) ?? []).equals(large)).toBe(
      true,
    );
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({
        Bucket,
        Key: 'parts',
        ContentType: 'text/plain',
        Metadata: { one: '1' },
      }),
    );
    const upload = { Bucket, Key: 'parts', UploadId };
    const first = await client.send(
      new UploadPartCommand({ ...upload, PartNumber: 1, Body: large.subarray(0, 5 * MIB) }),
    );
    const CopySource = `${Bucket}/large`;
    const range = { CopySource, CopySourceRange: `bytes=${String(5 * MIB)}-${String(6 * MIB - 1)}` };
    const second = await client.send(new UploadPartCopyCommand({ ...upload, PartNumber: 2, ...range }));
    const { Parts = [] } = await client.send(new ListPartsCommand(upload));
    expect(Parts.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 5 * MIB],
      [2, MIB],
    ]);
    const complete = (etags: readonly (string | undefined)[]) =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...upload,
          MultipartUpload: { Parts: etags.map((ETag, index) => ({ PartNumber: index + 1, ETag })) },
        }),
      );
    expect(await errorOf(complete(['"0"']))).toEqual(['InvalidPart', 400]);
    const { ETag } = await complete([first.ETag, second.CopyPartResult?.ETag]);
    expect(ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
    const whole = await get('parts');
    expect(whole).toMatchObject({
      ContentType: 'text/plain',
      Metadata: { one: '1' },
      ContentLength: 6 * MIB,
    });
    expect(
      Buffer.from((await whole.Body?.transformToByteArray()) ?? []).equals(large.subarray(0, 6 * MIB)),
    ).toBe(true);
    expect(await errorOf(complete([first.ETag]))).toEqual(['NoSuchUpload', 404]);
  });

  it('refuses parts that are too small, and forgets an upload that is given up', async () => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'key' }));
    const upload = { Bucket, Key: 'key', UploadId };
    const Parts = [];
    for (const PartNumber of [1, 2])
      Parts.push({
        PartNumber,
        ETag: (await client.send(new UploadPartCommand({ ...upload, PartNumber, Body: 'x' }))).ETag,
      });
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
    expect(await errorOf(client.send(complete))).toEqual(['EntityTooSmall', 400]);
    await client.send(new AbortMultipartUploadCommand(upload));
    expect(await errorOf(client.send(complete))).toEqual(['NoSuchUpload', 404]);
    expect(await errorOf(get('key'))).toEqual(['NoSuchKey', 404]);
  });

  it('copies an object, with its metadata or with others, under conditions', async () => {
    const { ETag } = await put('a b/ü', 'text', { Metadata: { one: '1' }, ContentType: 'text/plain' });
    const CopySource = `/${Bucket}/${encodeURIComponent('a b/ü')}`;
    const copied = await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    expect(copied.CopyObjectResult?.ETag).toBe(ETag);
    expect(await get('copy')).toMatchObject({ ContentType: 'text/plain', Metadata: { one: '1' } });
    const other = { MetadataDirective: 'REPLACE', Metadata: { two: '2' }, ContentType: 'text/csv' } as const;
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource, ...other }));
    expect((await get('copy')).Metadata).toEqual({ two: '2' });
    const changed = new CopyObjectCommand({ Bucket, Key: 'copy', CopySource, CopySourceIfMatch: '"0"' });
    expect(await errorOf(client.send(changed))).toEqual(['PreconditionFailed', 412]);
    const missing = new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/none` });
    expect(await errorOf(client.send(missing))).toEqual(['NoSuchKey', 404]);
  });

  it('keeps the versions of a bucket that is set so', async () => {
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const first = await put('key', 'one');
    const second = await put('key', 'two');
    const deleted = await client.send(new DeleteObjectCommand({ Bucket, Key: 'key' }));
    expect(deleted.DeleteMarker).toBe(true);
    expect(await errorOf(get('key'))).toEqual(['NoSuchKey', 404]);
    expect(await textOf('key', { VersionId: first.VersionId })).toBe('one');
    const list = new ListObjectVersionsCommand({ Bucket });
    const before = await client.send(list);
    expect(before.DeleteMarkers?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
      [deleted.VersionId, true],
    ]);
    expect(before.Versions?.map(({ VersionId }) => VersionId)).toEqual([second.VersionId, first.VersionId]);
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'key', VersionId: deleted.VersionId }));
    expect(await textOf('key')).toBe('two');
    const Objects = [first, second].map(({ VersionId }) => ({ Key: 'key', VersionId }));
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect((await client.send(list)).Versions).toBeUndefined();
  });

  it('creates, lists and deletes buckets', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'another' }));
    expect((await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toEqual([
      'another',
      Bucket,
    ]);
    await client.send(new PutObjectCommand({ Bucket: 'another', Key: 'key', Body: 'x' }));
    const remove = new DeleteBucketCommand({ Bucket: 'another' });
    expect(await errorOf(client.send(remove))).toEqual(['BucketNotEmpty', 409]);
    await client.send(new DeleteObjectCommand({ Bucket: 'another', Key: 'key' }));
    await client.send(remove);
    expect(s3.store.buckets()).toEqual([Bucket]);
  });

  it('says NotImplemented where it would otherwise ignore something', async () => {
    await put('key', 'x');
    const refused = ['NotImplemented', 501];
    expect(await errorOf(put('key', 'x', { Tagging: 'a=b' }))).toEqual(refused);
    expect(await errorOf(put('key', 'x', { ACL: 'public-read' }))).toEqual(refused);
    expect(await errorOf(client.send(new ListObjectsCommand({ Bucket })))).toEqual(refused);
    expect(await errorOf(get('key', { PartNumber: 1 }))).toEqual(refused);
  });
});
