import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { noSuchKey, S3Error } from './s3-error.ts';

/** S3's preconditions, from the headers of a request. */
export type Preconditions = Pick<
  IncomingHttpHeaders,
  'if-match' | 'if-none-match' | 'if-modified-since' | 'if-unmodified-since'
>;

/** What a condition looks at. */
interface Comparable {
  readonly etag: string;
  /** Unix milliseconds. */
  readonly modifiedAt: number;
}

export function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

export function sameEtag(header: string, etag: string): boolean {
  return header === '*' || header.replaceAll('"', '') === etag.replaceAll('"', '');
}

export function preconditionFailed(): S3Error {
  return new S3Error(
    412,
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
  );
}

/** @throws S3Error */
export function checkMatch(current: Comparable | undefined, { 'if-match': match }: Preconditions): void {
  if (match === undefined) return;
  if (current === undefined) throw noSuchKey();
  if (!sameEtag(match, current.etag)) throw preconditionFailed();
}

/** RFC 9110, section 13.2.2: an ETag goes before a time. */
export function checkRead(stored: Comparable, conditions: Preconditions): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = conditions;
  const { 'if-modified-since': since, 'if-unmodified-since': notSince } = conditions;
  const changed = Math.floor(stored.modifiedAt / 1000) * 1000;
  if (match !== undefined && !sameEtag(match, stored.etag)) throw preconditionFailed();
  if (match === undefined && notSince !== undefined && changed > Date.parse(notSince))
    throw preconditionFailed();
  const isSame = noneMatch !== undefined && sameEtag(noneMatch, stored.etag);
  const isOld = noneMatch === undefined && since !== undefined && changed <= Date.parse(since);
  if (isSame || isOld) throw new S3Error(304, 'NotModified', 'Not Modified');
}
