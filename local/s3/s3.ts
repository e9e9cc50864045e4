import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FaultSwitch } from '../lib/faults.ts';
import { BodyTooLarge, readBody, serve, urlOf } from '../lib/http.ts';
import type { AwsCall } from '../lib/aws-call.ts';
import type { Listen, Part } from '../lib/part.ts';
import { signerOf } from '../lib/sigv4.ts';
import { answerBucket } from './bucket-requests.ts';
import { notImplemented, requireUnderstood } from './headers.ts';
import { Uploads } from './multipart.ts';
import { answerObject } from './object-requests.ts';
import { ObjectStore } from './object-store.ts';
import { S3Error } from './s3-error.ts';
import { sendXml, type S3Call, type BucketSettings, type S3Request } from './s3-request.ts';
import { bucketsResult, errorXml } from './xml.ts';

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

export interface LocalS3 extends Part {
  readonly store: ObjectStore;
  /** Every call so far, for tests. */
  readonly calls: readonly S3Call[];
  /** The settings of all buckets. The behaviour of this part does not depend on them. */
  settings: BucketSettings;
}

const UNSET: BucketSettings = { region: 'eu-central-1', versioned: false, closedToThePublic: true };

/** The largest body that one request may have. */
const LARGEST = 256 * 1024 * 1024;

/**
 * Amazon S3's REST protocol, path-style: objects with their conditional headers, ranges, metadata and copies; uploads in
 * parts; presigned URLs; listings; versions where a bucket keeps them; and the settings of a bucket. Everything else is
 * NotImplemented. Signatures are looked at for their form, and not verified.
 */
export async function startS3(options: S3Options): Promise<LocalS3> {
  const store = new ObjectStore(options.buckets, options.directory);
  const uploads = new Uploads();
  const faults = new FaultSwitch();
  const initial = options.settings ?? UNSET;
  const part = { settings: initial };
  const calls: S3Call[] = [];
  const mayNotList = new Set(options.mayNotList);
  const serving = await serve(
    async (request, response) => {
      const requestId = randomBytes(8).toString('hex').toUpperCase();
      response.setHeader('x-amz-request-id', requestId);
      response.setHeader('x-amz-id-2', randomBytes(24).toString('base64'));
      try {
        await answer({ store, uploads, settings: part.settings, calls }, request, response);
      } catch (thrown) {
        const error = errorOf(thrown);
        const isHidden = error.code === 'NoSuchKey' && mayNotList.has(signerOf(request, 's3') ?? '');
        const shown = isHidden ? new S3Error(403, 'AccessDenied', 'Access Denied') : error;
        const hasBody = request.method !== 'HEAD' && shown.status !== 304;
        response.writeHead(shown.status, hasBody ? { 'content-type': 'application/xml' } : {});
        response.end(hasBody ? errorXml(shown.code, shown.message, requestId) : undefined);
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
      uploads.clear();
      faults.clear();
      calls.length = 0;
      part.settings = initial;
      return Promise.resolve();
    },
  });
}

/** @throws whatever is no error of S3 */
function errorOf(thrown: unknown): S3Error {
  if (thrown instanceof S3Error) return thrown;
  if (thrown instanceof BodyTooLarge)
    return new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  throw thrown;
}

interface Bucket {
  readonly store: ObjectStore;
  readonly uploads: Uploads;
  readonly settings: BucketSettings;
  readonly calls: S3Call[];
}

async function answer(on: Bucket, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const accessKeyId = signerOf(request, 's3');
  if (accessKeyId === undefined) throw new S3Error(403, 'AccessDenied', 'Access Denied');
  requireUnderstood(request.headers);
  const { pathname, searchParams: query } = urlOf(request);
  const [, bucket = '', ...rest] = pathname.split('/');
  const key = decodeURIComponent(rest.join('/'));
  const target = { bucket, ...(key !== '' && { key }) };
  const note = (action: string, bytes: number, more: AwsCall['target'] = {}): void => {
    on.calls.push({ accessKeyId, action, target: { ...target, ...more }, bytes });
  };
  const body = await readBody(request, LARGEST);
  const asked: S3Request = { ...on, request, response, bucket, key, query, body, note };
  if (bucket === '') {
    if (request.method !== 'GET') throw notImplemented(`${request.method ?? ''} /`);
    note('s3:ListAllMyBuckets', 0);
    sendXml(response, bucketsResult(on.store.buckets()));
    return;
  }
  await (key === '' ? answerBucket(asked) : answerObject(asked));
}
