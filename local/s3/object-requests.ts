import type { IncomingHttpHeaders } from 'node:http';
import { aboutObject, bytesIn, objectHeaders, OVERRIDING, rangeOf, versionHeader } from './headers.ts';
import type { NewObject, StoredObject } from './object-store.ts';
import { S3Error } from './s3-error.ts';
import { decodePayload } from './payload.ts';
import { choose, named, sendXml, unnamed, type Operation, type S3Request } from './s3-request.ts';
import { copyResult, parseParts, partsResult, uploadBegun, uploadCompleted } from './xml.ts';

const READ = ['versionId', ...OVERRIDING];

const METHODS: Readonly<Record<string, readonly Operation[]>> = {
  GET: [named(['uploadId', 'max-parts', 'part-number-marker'], listParts), unnamed(READ, read)],
  HEAD: [unnamed(READ, read)],
  PUT: [named(['uploadId', 'partNumber'], uploadPart), unnamed([], write)],
  POST: [named(['uploads'], beginUpload), named(['uploadId'], completeUpload)],
  DELETE: [named(['uploadId'], abortUpload), unnamed(['versionId'], remove)],
};

/** Answers a request about an object. @throws S3Error */
export function answerObject(asked: S3Request): Promise<void> | void {
  asked.store.requireBucket(asked.bucket);
  return choose(asked, METHODS[asked.request.method ?? '']);
}

function read(asked: S3Request): void {
  const { store, request, response, bucket, key, query, note } = asked;
  const isHead = request.method === 'HEAD';
  const noted = { bytes: 0 };
  try {
    const stored = store.get(bucket, key, request.headers, query.get('versionId') ?? undefined);
    const range = rangeOf(request.headers.range, stored.body.length);
    const body = bytesIn(stored.body, range);
    if (!isHead) noted.bytes = body.length;
    response.writeHead(range === undefined ? 200 : 206, {
      ...objectHeaders(stored, query),
      'content-length': String(body.length),
      ...(range !== undefined && {
        'content-range': `bytes ${String(range.start)}-${String(range.end)}/${String(stored.body.length)}`,
      }),
    });
    response.end(isHead ? undefined : body);
  } finally {
    note('s3:GetObject', noted.bytes);
  }
}

function write(asked: S3Request): void {
  const { store, request, response, bucket, key, note } = asked;
  const source = sourceOf(asked);
  const given = source === undefined ? sent(asked) : copyOf(source, request.headers);
  const noted = { bytes: 0 };
  try {
    const stored = store.put(bucket, key, given, request.headers);
    noted.bytes = given.body.length;
    const version = versionHeader(stored);
    if (source === undefined) response.writeHead(200, { etag: stored.etag, ...version }).end();
    else sendXml(response, copyResult(stored, 'Object'), version);
  } finally {
    note('s3:PutObject', noted.bytes);
  }
}

function sent({ request, body }: S3Request): NewObject {
  return { ...aboutObject(request.headers), body: decodePayload(body, request.headers) };
}

/** What a request copies, if it copies. @throws S3Error */
function sourceOf({ store, request: { headers }, note }: S3Request): StoredObject | undefined {
  const written = headers['x-amz-copy-source'];
  if (typeof written !== 'string') return undefined;
  const [path = '', query = ''] = written.replace(/^\//, '').split('?');
  const [bucket = '', ...rest] = path.split('/');
  const key = decodeURIComponent(rest.join('/'));
  store.requireBucket(bucket);
  note('s3:GetObject', 0, { bucket, key });
  const versionId = new URLSearchParams(query).get('versionId') ?? undefined;
  try {
    return store.get(bucket, key, copyConditions(headers), versionId);
  } catch (error) {
    // A copy has no 304.
    const isUnmodified = error instanceof S3Error && error.status === 304;
    throw isUnmodified ? new S3Error(412, 'PreconditionFailed', 'A pre-condition did not hold') : error;
  }
}

function copyConditions(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const prefix = 'x-amz-copy-source-';
  const own = Object.entries(headers).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}

function copyOf(
  { body, contentType, metadata, headers }: StoredObject,
  asked: IncomingHttpHeaders,
): NewObject {
  if (asked['x-amz-metadata-directive'] === 'REPLACE') return { ...aboutObject(asked), body };
  return { body, contentType, metadata, ...(headers !== undefined && { headers }) };
}

function remove({ store, request, response, bucket, key, query, note }: S3Request): void {
  const versionId = query.get('versionId') ?? undefined;
  note(versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', 0);
  const marker = store.delete(bucket, key, request.headers, versionId);
  const about = marker === undefined ? {} : { 'x-amz-delete-marker': 'true', ...versionHeader(marker) };
  response.writeHead(204, about).end();
}

function beginUpload({ uploads, request, response, bucket, key, note }: S3Request): void {
  note('s3:PutObject', 0);
  sendXml(response, uploadBegun(bucket, key, uploads.begin(bucket, key, aboutObject(request.headers))));
}

function uploadPart(asked: S3Request): void {
  const { uploads, request, response, query, note } = asked;
  const source = sourceOf(asked);
  const body =
    source === undefined ? decodePayload(asked.body, request.headers) : copiedRange(source, request.headers);
  const part = uploads.add(uploadIdOf(query), asked, Number(query.get('partNumber')), body);
  note('s3:PutObject', body.length);
  if (source === undefined) response.writeHead(200, { etag: part.etag }).end();
  else sendXml(response, copyResult(part, 'Part'));
}

function copiedRange({ body }: StoredObject, headers: IncomingHttpHeaders): Buffer {
  const asked = headers['x-amz-copy-source-range'];
  return bytesIn(body, rangeOf(typeof asked === 'string' ? asked : undefined, body.length));
}

function completeUpload(asked: S3Request): void {
  const { store, uploads, request, response, bucket, key, query, body, note } = asked;
  const id = uploadIdOf(query);
  const whole = uploads.complete(id, asked, parseParts(body.toString('utf8')));
  const stored = store.put(bucket, key, whole, request.headers);
  uploads.end(id, asked);
  note('s3:PutObject', whole.body.length);
  sendXml(response, uploadCompleted(stored), versionHeader(stored));
}

function abortUpload(asked: S3Request): void {
  asked.note('s3:AbortMultipartUpload', 0);
  asked.uploads.end(uploadIdOf(asked.query), asked);
  asked.response.writeHead(204).end();
}

function listParts(asked: S3Request): void {
  const { uploads, response, bucket, key, query, note } = asked;
  const id = uploadIdOf(query);
  note('s3:ListMultipartUploadParts', 0);
  sendXml(response, partsResult(bucket, key, id, uploads.parts(id, asked)));
}

function uploadIdOf(query: URLSearchParams): string {
  return query.get('uploadId') ?? '';
}
