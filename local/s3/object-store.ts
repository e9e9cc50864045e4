import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';

export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedAt: number;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Listing {
  readonly objects: readonly StoredObject[];
  readonly commonPrefixes: readonly string[];
  readonly nextToken: string | undefined;
}

type StoredFile = Omit<StoredObject, 'body'> & { readonly body: string };

/** Objects by bucket and key with S3's preconditions. Every operation is atomic, because none of them awaits. */
export class ObjectStore {
  readonly #buckets: ReadonlySet<string>;
  readonly #directory: string | undefined;
  readonly #objects = new Map<string, StoredObject>();

  constructor(buckets: readonly string[], directory?: string) {
    this.#buckets = new Set(buckets);
    this.#directory = directory;
    if (directory !== undefined) this.#load(directory);
  }

  requireBucket(bucket: string): void {
    if (!this.#buckets.has(bucket))
      throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
  }

  put(bucket: string, key: string, body: Buffer, headers: IncomingHttpHeaders): StoredObject {
    const current = this.#objects.get(idOf(bucket, key));
    if (headers['if-none-match'] !== undefined) {
      if (headers['if-none-match'] !== '*')
        throw new S3Error(501, 'NotImplemented', 'If-None-Match takes * only');
      if (current !== undefined) throw preconditionFailed();
    }
    if (headers['if-match'] !== undefined) {
      if (current === undefined) throw noSuchKey();
      if (!sameEtag(headers['if-match'], current.etag)) throw preconditionFailed();
    }
    const stored: StoredObject = {
      bucket,
      key,
      body,
      etag: `"${createHash('md5').update(body).digest('hex')}"`,
      modifiedAt: Date.now(),
      contentType: headers['content-type'] ?? 'binary/octet-stream',
      metadata: metadataOf(headers),
    };
    this.#objects.set(idOf(bucket, key), stored);
    this.#write(stored);
    return stored;
  }

  get(bucket: string, key: string, headers: IncomingHttpHeaders): StoredObject {
    const stored = this.#objects.get(idOf(bucket, key));
    if (stored === undefined) throw noSuchKey();
    if (headers['if-match'] !== undefined && !sameEtag(headers['if-match'], stored.etag))
      throw preconditionFailed();
    if (headers['if-none-match'] !== undefined && sameEtag(headers['if-none-match'], stored.etag)) {
      throw new S3Error(304, 'NotModified', 'Not Modified');
    }
    return stored;
  }

  delete(bucket: string, key: string, headers: IncomingHttpHeaders): void {
    const stored = this.#objects.get(idOf(bucket, key));
    if (headers['if-match'] !== undefined) {
      if (stored === undefined) throw noSuchKey();
      if (!sameEtag(headers['if-match'], stored.etag)) throw preconditionFailed();
    }
    this.#objects.delete(idOf(bucket, key));
    if (this.#directory !== undefined) rmSync(fileOf(this.#directory, bucket, key), { force: true });
  }

  /** ListObjectsV2: UTF-8 order, `prefix`, `delimiter`, `start-after`, `max-keys` and continuation. */
  list(bucket: string, query: URLSearchParams): Listing {
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const limit = Math.min(Number(query.get('max-keys') ?? 1000), 1000);
    const after = decodeToken(query.get('continuation-token')) ?? query.get('start-after') ?? '';
    const objects: StoredObject[] = [];
    const commonPrefixes: string[] = [];
    let last = after;
    for (const stored of this.#sorted(bucket, prefix)) {
      const cut = delimiter === '' ? -1 : stored.key.indexOf(delimiter, prefix.length);
      const entry = cut === -1 ? stored.key : stored.key.slice(0, cut + delimiter.length);
      if (entry <= after || commonPrefixes.at(-1) === entry) continue;
      if (objects.length + commonPrefixes.length === limit) {
        return { objects, commonPrefixes, nextToken: Buffer.from(last).toString('base64url') };
      }
      if (cut === -1) objects.push(stored);
      else commonPrefixes.push(entry);
      last = entry;
    }
    return { objects, commonPrefixes, nextToken: undefined };
  }

  /** Every object, for tests that search all stored data. */
  all(): readonly StoredObject[] {
    return [...this.#objects.values()];
  }

  clear(): void {
    this.#objects.clear();
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }

  #sorted(bucket: string, prefix: string): StoredObject[] {
    return [...this.#objects.values()]
      .filter((stored) => stored.bucket === bucket && stored.key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  #write(stored: StoredObject): void {
    if (this.#directory === undefined) return;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const file = fileOf(this.#directory, stored.bucket, stored.key);
    const content: StoredFile = { ...stored, body: stored.body.toString('base64') };
    writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  #load(directory: string): void {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory).filter((each) => each.endsWith('.json'))) {
      const file = JSON.parse(readFileSync(join(directory, name), 'utf8')) as StoredFile;
      this.#objects.set(idOf(file.bucket, file.key), { ...file, body: Buffer.from(file.body, 'base64') });
    }
  }
}

function idOf(bucket: string, key: string): string {
  return `${bucket}/${key}`;
}

function fileOf(directory: string, bucket: string, key: string): string {
  return join(directory, `${createHash('sha256').update(idOf(bucket, key)).digest('hex')}.json`);
}

function sameEtag(header: string, etag: string): boolean {
  return header === '*' || header.replaceAll('"', '') === etag.replaceAll('"', '');
}

function metadataOf(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(
    entries.map(([name, value]) => [name.slice('x-amz-meta-'.length), String(value)]),
  );
}

function decodeToken(token: string | null): string | undefined {
  return token === null ? undefined : Buffer.from(token, 'base64url').toString('utf8');
}

function noSuchKey(): S3Error {
  return new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
}

function preconditionFailed(): S3Error {
  return new S3Error(
    412,
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
  );
}
