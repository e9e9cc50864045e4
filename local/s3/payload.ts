import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { S3Error } from './s3-error.ts';

const CHECKSUMS: Readonly<Record<string, (body: Buffer) => string>> = {
  'x-amz-checksum-crc32': (body) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(body));
    return bytes.toString('base64');
  },
  'x-amz-checksum-sha1': (body) => createHash('sha1').update(body).digest('base64'),
  'x-amz-checksum-sha256': (body) => createHash('sha256').update(body).digest('base64'),
  'content-md5': (body) => createHash('md5').update(body).digest('base64'),
};

/**
 * Returns the object's bytes from a PutObject body. It removes the `aws-chunked` framing and verifies every checksum in a
 * header or in the trailer.
 */
export function decodePayload(raw: Buffer, headers: IncomingHttpHeaders): Buffer {
  const chunked = (headers['content-encoding'] ?? '').includes('aws-chunked');
  const { body, trailer } = chunked ? dechunk(raw) : { body: raw, trailer: {} };
  const declared = headers['x-amz-decoded-content-length'];
  if (declared !== undefined && Number(declared) !== body.length) {
    throw new S3Error(400, 'IncompleteBody', 'The body is shorter or longer than it was declared to be');
  }
  for (const [name, checksum] of Object.entries(CHECKSUMS)) {
    const expected = trailer[name] ?? headers[name];
    if (expected !== undefined && expected !== checksum(body)) {
      throw new S3Error(400, 'BadDigest', 'A checksum you specified did not match what was received.');
    }
  }
  return body;
}

function dechunk(raw: Buffer): { body: Buffer; trailer: Record<string, string> } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.subarray(at, end).toString('latin1').split(';')[0] ?? '', 16);
    if (end === -1 || Number.isNaN(size))
      throw new S3Error(400, 'InvalidRequest', 'Malformed aws-chunked body');
    at = end + 2;
    if (size === 0) return { body: Buffer.concat(parts), trailer: parseTrailer(raw.subarray(at)) };
    parts.push(raw.subarray(at, at + size));
    at += size + 2;
  }
}

function parseTrailer(raw: Buffer): Record<string, string> {
  const lines = raw
    .toString('latin1')
    .split('\r\n')
    .filter((line) => line.includes(':'));
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
}
