import type { IncomingMessage, ServerResponse } from 'node:http';
import { FaultSwitch } from '../lib/faults.ts';
import { readBody, serve, urlOf } from '../lib/http.ts';
import type { AwsCall } from '../lib/aws-call.ts';
import type { Listen, Part } from '../lib/part.ts';
import { signerOf } from '../lib/sigv4.ts';
import { ObjectStore, S3Error, type StoredObject } from './object-store.ts';
import { decodePayload } from './payload.ts';
import {
  batchDeleteResult,
  encryptionXml,
  errorXml,
  listResult,
  parseBatchDelete,
  publicAccessXml,
  versioningXml,
  versionsResult,
} from './xml.ts';

export interface S3Options extends Listen {
  readonly buckets: readonly string[];
  /** The folder where objects are kept; in memory when absent. */
  readonly directory?: string;
  readonly settings?: BucketSettings;
  /**
   * Access keys that may not list the buckets. They get 403 for a missing object, as from S3:
   * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
   */
  readonly mayNotList?: readonly string[];
}

/** The settings of a bucket. */
export interface BucketSettings {
  readonly region: string;
  readonly versioned: boolean;
  readonly closedToThePublic: boolean;
  /** The KMS key that encrypts the bucket; S3's own key when absent. */
  readonly keyArn?: string;
}

export interface S3Call extends AwsCall {
  /** The size of the object that was written or read; 0 for every other call. */
  bytes: number;
}

export interface LocalS3 extends Part {
  readonly store: ObjectStore;
  /** Every call so far, for tests. */
  readonly calls: readonly S3Call[];
  /** The settings of all buckets. The behaviour of this part does not depend on them. */
  settings: BucketSettings;
}

/**
 * The IAM action of each request. A batch of deletions needs the permission for each object; only the operator reads the
 * settings.
 */
const ACTIONS: Readonly<Record<string, string>> = {
  'GET bucket': 's3:ListBucket',
  'HEAD bucket': 's3:ListBucket',
  'GET object': 's3:GetObject',
  'HEAD object': 's3:GetObject',
  'PUT object': 's3:PutObject',
  'DELETE object': 's3:DeleteObject',
};

const UNSET: BucketSettings = { region: 'eu-central-1', versioned: false, closedToThePublic: true };

/**
 * Amazon S3's REST protocol, path-style: PutObject, GetObject, HeadObject, DeleteObject (all with their conditional headers),
 * DeleteObjects, ListObjectsV2, ListObjectVersions, HeadBucket, and the settings of a bucket. Everything else is
 * NotImplemented. It keeps no old versions, so each object has the one version that S3 calls `null`.
 */
export async function startS3(options: S3Options): Promise<LocalS3> {
  const store = new ObjectStore(options.buckets, options.directory);
  const faults = new FaultSwitch();
  const initial = options.settings ?? UNSET;
  const part = { settings: initial };
  const calls: S3Call[] = [];
  const mayNotList = new Set(options.mayNotList);
  const serving = await serve(
    async (request, response) => {
      try {
        await answer(store, part.settings, calls, request, response);
      } catch (thrown) {
        if (!(thrown instanceof S3Error)) throw thrown;
        const isHidden = thrown.code === 'NoSuchKey' && mayNotList.has(signerOf(request, 's3') ?? '');
        const error = isHidden ? new S3Error(403, 'AccessDenied', 'Access Denied') : thrown;
        response.writeHead(error.status, { 'content-type': 'application/xml' });
        response.end(request.method === 'HEAD' ? undefined : errorXml(error.code, error.message));
      }
    },
    faults,
    options,
  );
  return Object.assign(part, {
    url: serving.url,
    faults,
    store,
    calls,
    close: () => serving.close(),
    reset: () => {
      store.clear();
      faults.clear();
      calls.length = 0;
      part.settings = initial;
      return Promise.resolve();
    },
  });
}

async function answer(
  store: ObjectStore,
  settings: BucketSettings,
  calls: S3Call[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const accessKeyId = signerOf(request, 's3');
  if (accessKeyId === undefined) throw new S3Error(403, 'AccessDenied', 'Access Denied');
  const url = urlOf(request);
  const [, bucket = '', ...rest] = url.pathname.split('/');
  const key = decodeURIComponent(rest.join('/'));
  store.requireBucket(bucket);
  const operation = `${request.method ?? ''} ${key === '' ? 'bucket' : 'object'}`;
  const listsVersions = operation === 'GET bucket' && url.searchParams.has('versions');
  const action = listsVersions ? 's3:ListBucketVersions' : ACTIONS[operation];
  const prefix = url.searchParams.get('prefix');
  const target = { bucket, ...(key !== '' && { key }), ...(prefix !== null && { prefix }) };
  const call: S3Call = { accessKeyId, action: action ?? '', target, bytes: 0 };
  if (action !== undefined) calls.push(call);
  switch (operation) {
    case 'HEAD bucket':
      response.writeHead(200, { 'x-amz-bucket-region': settings.region }).end();
      return;
    case 'GET bucket': {
      const xml = bucketXml(store, settings, bucket, url.searchParams);
      if (xml === undefined) break;
      sendXml(response, xml);
      return;
    }
    case 'POST bucket': {
      if (!url.searchParams.has('delete')) break;
      const keys = parseBatchDelete((await readBody(request)).toString('utf8'));
      for (const each of keys) {
        calls.push({ accessKeyId, action: 's3:DeleteObject', target: { bucket, key: each }, bytes: 0 });
        store.delete(bucket, each, {});
      }
      sendXml(response, batchDeleteResult(keys));
      return;
    }
    case 'PUT object': {
      if (request.headers['x-amz-copy-source'] !== undefined || url.searchParams.has('uploadId')) break;
      const body = decodePayload(await readBody(request), request.headers);
      const stored = store.put(bucket, key, body, request.headers);
      call.bytes = body.length;
      response.writeHead(200, { etag: stored.etag }).end();
      return;
    }
    case 'GET object':
    case 'HEAD object': {
      const stored = store.get(bucket, key, request.headers);
      if (request.method === 'GET') call.bytes = stored.body.length;
      response.writeHead(200, objectHeaders(stored));
      response.end(request.method === 'HEAD' ? undefined : stored.body);
      return;
    }
    case 'DELETE object':
      store.delete(bucket, key, request.headers);
      response.writeHead(204).end();
      return;
  }
  throw new S3Error(
    501,
    'NotImplemented',
    'A header or query you provided implies functionality that is not implemented.',
  );
}

/** What a bucket has, or how it is set; undefined for every other question about it. */
function bucketXml(
  store: ObjectStore,
  settings: BucketSettings,
  bucket: string,
  query: URLSearchParams,
): string | undefined {
  const setting = settingXml(settings, query);
  if (setting !== undefined) return setting;
  if (query.has('versions')) return versionsResult(bucket, store.list(bucket, afterKey(query)), query);
  if (query.get('list-type') !== '2') return undefined;
  return listResult(bucket, store.list(bucket, query), query);
}

/** ListObjectVersions goes on after a key; with one version of each, that is the whole place. */
function afterKey(query: URLSearchParams): URLSearchParams {
  const named = new URLSearchParams(query);
  named.set('start-after', query.get('key-marker') ?? '');
  return named;
}

function settingXml(settings: BucketSettings, query: URLSearchParams): string | undefined {
  if (query.has('versioning')) return versioningXml(settings.versioned);
  if (query.has('encryption')) return encryptionXml(settings.keyArn);
  if (!query.has('publicAccessBlock')) return undefined;
  if (settings.closedToThePublic) return publicAccessXml();
  throw new S3Error(
    404,
    'NoSuchPublicAccessBlockConfiguration',
    'The public access block configuration was not found',
  );
}

function sendXml(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(xml);
}

function objectHeaders(stored: StoredObject): Record<string, string> {
  return {
    'content-type': stored.contentType,
    'content-length': String(stored.body.length),
    etag: stored.etag,
    'last-modified': new Date(stored.modifiedAt).toUTCString(),
    ...Object.fromEntries(
      Object.entries(stored.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]),
    ),
  };
}
