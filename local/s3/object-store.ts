import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkMatch, checkRead, etagOf, preconditionFailed, type Preconditions } from './conditions.ts';
import { noSuchKey, S3Error } from './s3-error.ts';

/** One version of an object, or the marker that it is deleted. */
export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedAt: number;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Further headers that come back with the object, such as `cache-control`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `null` where the bucket keeps no versions. */
  readonly versionId: string;
  readonly isDeleteMarker?: true;
}

/** What a new version holds. */
export interface NewObject {
  readonly body: Buffer;
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** When it is absent, the ETag is made from the body. An object that was uploaded in parts has another one. */
  readonly etag?: string;
}

/** What a store holds. */
export interface StoreSnapshot {
  readonly buckets: readonly string[];
  /** The buckets that keep versions. */
  readonly versioned: readonly string[];
  readonly objects: readonly StoredFile[];
}

export interface Listing {
  readonly objects: readonly StoredObject[];
  readonly commonPrefixes: readonly string[];
  readonly nextToken: string | undefined;
}

/** A version with its body in base64. */
export type StoredFile = Omit<StoredObject, 'body'> & { readonly body: string };

const NO_VERSION = 'null';
const LIMIT = 1000;

/** Objects by bucket and key with S3's preconditions. Every operation is atomic, because none of them awaits. */
export class ObjectStore {
  readonly #buckets: Set<string>;
  readonly #initialBuckets: readonly string[];
  readonly #directory: string | undefined;
  /** The versions of each key, the latest last. */
  readonly #versions = new Map<string, StoredObject[]>();
  /** The buckets that keep old versions. */
  readonly #versioned = new Set<string>();

  constructor(buckets: readonly string[], directory?: string) {
    this.#initialBuckets = buckets;
    this.#buckets = new Set(buckets);
    this.#directory = directory;
    if (directory !== undefined) this.#load(directory);
  }

  /** @throws S3Error */
  requireBucket(bucket: string): void {
    if (!this.#buckets.has(bucket))
      throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
  }

  buckets(): readonly string[] {
    return [...this.#buckets].sort();
  }

  /** @throws S3Error */
  createBucket(bucket: string): void {
    if (this.#buckets.has(bucket))
      throw new S3Error(
        409,
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded',
      );
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
      throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.');
    this.#buckets.add(bucket);
  }

  /** @throws S3Error */
  deleteBucket(bucket: string): void {
    if (this.versions(bucket, new URLSearchParams()).length > 0)
      throw new S3Error(409, 'BucketNotEmpty', 'The bucket you tried to delete is not empty');
    this.#buckets.delete(bucket);
  }

  keepVersions(bucket: string, keeps: boolean): void {
    if (keeps) this.#versioned.add(bucket);
    else this.#versioned.delete(bucket);
  }

  keepsVersions(bucket: string): boolean {
    return this.#versioned.has(bucket);
  }

  /** @throws S3Error */
  put(bucket: string, key: string, given: Buffer | NewObject, conditions: Preconditions): StoredObject {
    this.#checkWrite(bucket, key, conditions);
    const object: NewObject = Buffer.isBuffer(given) ? { body: given } : given;
    const { body, contentType, metadata, headers, etag } = object;
    const stored: StoredObject = {
      bucket,
      key,
      body,
      etag: etag ?? etagOf(body),
      modifiedAt: Date.now(),
      contentType: contentType ?? 'binary/octet-stream',
      metadata: metadata ?? {},
      ...(headers !== undefined && { headers }),
      versionId: this.#newVersionId(bucket),
    };
    this.#add(stored);
    return stored;
  }

  /** @throws S3Error */
  get(bucket: string, key: string, conditions: Preconditions, versionId?: string): StoredObject {
    const stored =
      versionId === undefined ? this.#current(bucket, key) : this.#version(bucket, key, versionId);
    if (stored === undefined) throw noSuchKey();
    if (stored.isDeleteMarker === true)
      throw new S3Error(
        405,
        'MethodNotAllowed',
        'The specified method is not allowed against this resource.',
      );
    checkRead(stored, conditions);
    return stored;
  }

  /**
   * Deletes an object, or one version of it for good. Where the bucket keeps versions, an object gets a marker.
   * @returns the marker
   */
  delete(
    bucket: string,
    key: string,
    conditions: Preconditions,
    versionId?: string,
  ): StoredObject | undefined {
    checkMatch(this.#current(bucket, key), conditions);
    if (versionId !== undefined) {
      this.#remove(bucket, key, versionId);
      return undefined;
    }
    if (!this.#versioned.has(bucket)) {
      this.#remove(bucket, key, NO_VERSION);
      return undefined;
    }
    const marker: StoredObject = {
      ...{ bucket, key, body: Buffer.alloc(0), etag: '', contentType: '', metadata: {} },
      modifiedAt: Date.now(),
      versionId: this.#newVersionId(bucket),
      isDeleteMarker: true,
    };
    this.#add(marker);
    return marker;
  }

  /** ListObjectsV2: UTF-8 order, `prefix`, `delimiter`, `start-after`, `max-keys` and continuation. */
  list(bucket: string, query: URLSearchParams): Listing {
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const limit = limitOf(query);
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

  /** The versions of each key, the latest first, with `prefix`, `key-marker` and `version-id-marker`. */
  versions(
    bucket: string,
    query: URLSearchParams,
  ): readonly (StoredObject & { readonly isLatest: boolean })[] {
    const prefix = query.get('prefix') ?? '';
    const [keyMarker, versionMarker] = [query.get('key-marker') ?? '', query.get('version-id-marker')];
    const keys = [...this.#versions.values()].filter(
      ([first]) => first?.bucket === bucket && first.key.startsWith(prefix),
    );
    const all = keys
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a?.key ?? ''), Buffer.from(b?.key ?? '')))
      .flatMap((versions) =>
        versions.toReversed().map((version, index) => ({ ...version, isLatest: index === 0 })),
      );
    const marker = all.findIndex(({ key, versionId }) => key === keyMarker && versionId === versionMarker);
    if (marker >= 0) return all.slice(marker + 1);
    return all.filter(({ key }) => key > keyMarker);
  }

  /** Every object, for tests that search all stored data. */
  all(): readonly StoredObject[] {
    return [...this.#versions.values()].flatMap((versions) => versions.at(-1) ?? []).filter(isShown);
  }

  /** Every version of every object, and the buckets. */
  snapshot(): StoreSnapshot {
    const objects = [...this.#versions.values()].flat().map(written);
    return { buckets: this.buckets(), versioned: [...this.#versioned], objects };
  }

  restore({ buckets, versioned, objects }: StoreSnapshot): void {
    this.clear();
    for (const bucket of buckets) this.#buckets.add(bucket);
    for (const bucket of versioned) this.#versioned.add(bucket);
    for (const each of objects) this.#add(read(each));
  }

  clear(): void {
    this.#versions.clear();
    this.#versioned.clear();
    this.#buckets.clear();
    for (const bucket of this.#initialBuckets) this.#buckets.add(bucket);
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }

  #checkWrite(bucket: string, key: string, conditions: Preconditions): void {
    const current = this.#current(bucket, key);
    if (conditions['if-none-match'] !== undefined) {
      if (conditions['if-none-match'] !== '*')
        throw new S3Error(501, 'NotImplemented', 'If-None-Match takes * only');
      if (current !== undefined) throw preconditionFailed();
    }
    checkMatch(current, conditions);
  }

  #newVersionId(bucket: string): string {
    return this.#versioned.has(bucket) ? randomBytes(24).toString('base64url') : NO_VERSION;
  }

  #current(bucket: string, key: string): StoredObject | undefined {
    const latest = this.#versions.get(idOf(bucket, key))?.at(-1);
    return latest !== undefined && isShown(latest) ? latest : undefined;
  }

  #version(bucket: string, key: string, versionId: string): StoredObject {
    const found = this.#versions.get(idOf(bucket, key))?.find((each) => each.versionId === versionId);
    if (found === undefined) throw new S3Error(404, 'NoSuchVersion', 'The specified version does not exist.');
    return found;
  }

  /** A version replaces one with the same id, as `null` replaces `null`. */
  #add(stored: StoredObject): void {
    const id = idOf(stored.bucket, stored.key);
    const others = (this.#versions.get(id) ?? []).filter(({ versionId }) => versionId !== stored.versionId);
    this.#versions.set(id, [...others, stored]);
    this.#write(stored.bucket, stored.key);
  }

  #remove(bucket: string, key: string, versionId: string): void {
    const id = idOf(bucket, key);
    const left = (this.#versions.get(id) ?? []).filter((each) => each.versionId !== versionId);
    if (left.length === 0) this.#versions.delete(id);
    else this.#versions.set(id, left);
    this.#write(bucket, key);
  }

  #sorted(bucket: string, prefix: string): StoredObject[] {
    return this.all()
      .filter((stored) => stored.bucket === bucket && stored.key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  /** The versions of a key are one file. */
  #write(bucket: string, key: string): void {
    if (this.#directory === undefined) return;
    const file = fileOf(this.#directory, bucket, key);
    const versions = this.#versions.get(idOf(bucket, key));
    if (versions === undefined) {
      rmSync(file, { force: true });
      return;
    }
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const content = versions.map(written);
    writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  #load(directory: string): void {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory).filter((each) => each.endsWith('.json'))) {
      // An object that was stored alone, outside of a list, is its only version.
      const versions = [
        JSON.parse(readFileSync(join(directory, name), 'utf8')) as StoredFile | StoredFile[],
      ].flat();
      for (const each of versions) {
        const id = idOf(each.bucket, each.key);
        this.#versions.set(id, [...(this.#versions.get(id) ?? []), read(each)]);
      }
    }
  }
}

function written(stored: StoredObject): StoredFile {
  return { ...stored, body: stored.body.toString('base64') };
}

function read(file: StoredFile): StoredObject {
  const versionId = (file.versionId as string | undefined) ?? NO_VERSION;
  return { ...file, versionId, body: Buffer.from(file.body, 'base64') };
}

/** The number of entries that a list may have. */
export function limitOf(query: URLSearchParams): number {
  return Math.min(Number(query.get('max-keys') ?? LIMIT), LIMIT);
}

function isShown({ isDeleteMarker }: StoredObject): boolean {
  return isDeleteMarker !== true;
}

function idOf(bucket: string, key: string): string {
  return `${bucket}/${key}`;
}

function fileOf(directory: string, bucket: string, key: string): string {
  return join(directory, `${createHash('sha256').update(idOf(bucket, key)).digest('hex')}.json`);
}

function decodeToken(token: string | null): string | undefined {
  return token === null ? undefined : Buffer.from(token, 'base64url').toString('utf8');
}
