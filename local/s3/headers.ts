import type { IncomingHttpHeaders } from 'node:http';
import type { NewObject, StoredObject } from './object-store.ts';
import { S3Error } from './s3-error.ts';

type Headers = Readonly<Record<string, string>>;

/** The headers that come back with an object as they were sent. */
const KEPT = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-storage-class',
];
/** The `x-amz-` headers that this part understands. */
const UNDERSTOOD =
  /^x-amz-(content-sha256|date|security-token|user-agent|decoded-content-length|trailer|sdk-checksum-algorithm|checksum-.*|meta-.*|copy-source(?!-server-side).*|metadata-directive|expected-bucket-owner|source-expected-bucket-owner|request-payer|server-side-encryption|server-side-encryption-aws-kms-key-id|storage-class|object-attributes)$/;
/** Query members with which a reader names the headers of an answer. */
const OVERRIDES: Headers = {
  'response-content-type': 'content-type',
  'response-content-language': 'content-language',
  'response-expires': 'expires',
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
};
/** The members that the query of a read may have for that. */
export const OVERRIDING = Object.keys(OVERRIDES);

export function notImplemented(what: string): S3Error {
  return new S3Error(
    501,
    'NotImplemented',
    `A header or query you provided implies functionality that is not implemented: ${what}`,
  );
}

/** Refuses what would be ignored. @throws S3Error NotImplemented */
export function requireUnderstood(headers: IncomingHttpHeaders): void {
  const strange = Object.keys(headers).find((name) => name.startsWith('x-amz-') && !UNDERSTOOD.test(name));
  if (strange !== undefined) throw notImplemented(strange);
}

/** What an object has besides its body, from the headers of the request that stores it. */
export function aboutObject(headers: IncomingHttpHeaders): Omit<NewObject, 'body'> {
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  const metadata = entries
    .filter(([name]) => name.startsWith('x-amz-meta-'))
    .map(([name, value]) => [name.slice('x-amz-meta-'.length), value] as const);
  const kept = entries
    .filter(([name]) => KEPT.includes(name))
    .map(([name, value]) => [name, name === 'content-encoding' ? withoutChunked(value) : value] as const)
    .filter(([, value]) => value !== '');
  return {
    ...(headers['content-type'] !== undefined && { contentType: headers['content-type'] }),
    metadata: Object.fromEntries(metadata),
    headers: Object.fromEntries(kept),
  };
}

/** `aws-chunked` is the framing of the request, and not the object's encoding. */
function withoutChunked(encoding: string): string {
  return encoding
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== 'aws-chunked')
    .join(', ');
}

export function objectHeaders(stored: StoredObject, query: URLSearchParams): Headers {
  const metadata = Object.entries(stored.metadata).map(
    ([name, value]) => [`x-amz-meta-${name}`, value] as const,
  );
  const overrides = Object.entries(OVERRIDES).flatMap(([member, name]) => {
    const value = query.get(member);
    return value === null ? [] : [[name, value] as const];
  });
  return {
    'content-type': stored.contentType,
    'accept-ranges': 'bytes',
    etag: stored.etag,
    'last-modified': new Date(stored.modifiedAt).toUTCString(),
    ...stored.headers,
    ...Object.fromEntries(metadata),
    ...versionHeader(stored),
    ...Object.fromEntries(overrides),
  };
}

/** The version's id, where the bucket keeps versions. */
export function versionHeader({ versionId }: StoredObject): Headers {
  return versionId === 'null' ? {} : { 'x-amz-version-id': versionId };
}

interface Range {
  readonly start: number;
  /** The last byte. */
  readonly end: number;
}

/**
 * The range that a header asks for (RFC 9110, section 14.1.2); undefined for the whole, and for a header of another form.
 * @throws S3Error InvalidRange
 */
export function rangeOf(header: string | undefined, size: number): Range | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined || to === undefined || from + to === '') return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(from) > Number(to)) return undefined;
  if (start >= size || (from === '' && Number(to) === 0))
    throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
  return { start, end };
}

/** The bytes of a range, and all of them without one. */
export function bytesIn(body: Buffer, range: Range | undefined): Buffer {
  return range === undefined ? body : body.subarray(range.start, range.end + 1);
}
