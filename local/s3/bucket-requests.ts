import { notImplemented } from './headers.ts';
import { S3Error } from './s3-error.ts';
import { choose, named, sendXml, unnamed, type Operation, type S3Request } from './s3-request.ts';
import {
  batchDeleteResult,
  encryptionXml,
  listResult,
  parseBatchDelete,
  publicAccessXml,
  versioningXml,
  versionsResult,
} from './xml.ts';

const LISTED = ['prefix', 'delimiter', 'max-keys', 'encoding-type'];

const GET = [
  named(['list-type', ...LISTED, 'continuation-token', 'start-after', 'fetch-owner'], listObjects),
  named(['versions', ...LISTED, 'key-marker', 'version-id-marker'], (asked) => {
    const { query, store, bucket, response } = asked;
    if ((query.get('delimiter') ?? '') !== '') throw notImplemented('delimiter');
    asked.note('s3:ListBucketVersions', 0, prefixOf(asked));
    sendXml(response, versionsResult(bucket, store.versions(bucket, query), query));
  }),
  named(['versioning'], (asked) => {
    asked.note('s3:ListBucket', 0);
    sendXml(
      asked.response,
      versioningXml(asked.settings.versioned || asked.store.keepsVersions(asked.bucket)),
    );
  }),
  named(['encryption'], (asked) => {
    asked.note('s3:ListBucket', 0);
    sendXml(asked.response, encryptionXml(asked.settings.keyArn));
  }),
  named(['publicAccessBlock'], (asked) => {
    asked.note('s3:ListBucket', 0);
    if (!asked.settings.closedToThePublic)
      throw new S3Error(
        404,
        'NoSuchPublicAccessBlockConfiguration',
        'The public access block configuration was not found',
      );
    sendXml(asked.response, publicAccessXml());
  }),
];

const PUT = [
  named(['versioning'], ({ store, bucket, body, response }) => {
    store.keepVersions(bucket, /<Status>\s*Enabled\s*<\/Status>/.test(body.toString('utf8')));
    response.writeHead(200).end();
  }),
  unnamed([], ({ store, bucket, response }) => {
    store.createBucket(bucket);
    response.writeHead(200, { location: `/${bucket}` }).end();
  }),
];

const POST = [
  named(['delete'], (asked) => {
    const objects = parseBatchDelete(asked.body.toString('utf8'));
    for (const { key, versionId } of objects) {
      asked.note('s3:DeleteObject', 0, { key });
      asked.store.delete(asked.bucket, key, {}, versionId);
    }
    sendXml(asked.response, batchDeleteResult(objects));
  }),
];

const HEAD = [
  unnamed([], (asked) => {
    asked.note('s3:ListBucket', 0);
    asked.response.writeHead(200, { 'x-amz-bucket-region': asked.settings.region }).end();
  }),
];

const DELETE = [
  unnamed([], ({ store, bucket, response }) => {
    store.deleteBucket(bucket);
    response.writeHead(204).end();
  }),
];

const METHODS: Readonly<Record<string, readonly Operation[]>> = { GET, PUT, POST, HEAD, DELETE };

/** Answers a request about a bucket. @throws S3Error */
export function answerBucket(asked: S3Request): Promise<void> | void {
  const method = asked.request.method ?? '';
  const creates = method === 'PUT' && asked.query.size === 0;
  if (!creates) asked.store.requireBucket(asked.bucket);
  return choose(asked, METHODS[method]);
}

function listObjects(asked: S3Request): void {
  const { query, store, bucket, response } = asked;
  if (query.get('list-type') !== '2') throw notImplemented('list-type');
  asked.note('s3:ListBucket', 0, prefixOf(asked));
  sendXml(response, listResult(bucket, store.list(bucket, query), query));
}

function prefixOf({ query }: S3Request): Readonly<Record<string, string>> {
  const prefix = query.get('prefix');
  return prefix === null ? {} : { prefix };
}
