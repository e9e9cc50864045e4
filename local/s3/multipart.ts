import { createHash, randomBytes } from 'node:crypto';
import { etagOf, sameEtag } from './conditions.ts';
import type { NewObject } from './object-store.ts';
import { S3Error } from './s3-error.ts';

const LEAST_PART = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;

export interface UploadedPart {
  readonly number: number;
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedAt: number;
}

/** An upload that is not complete. */
interface Upload {
  readonly bucket: string;
  readonly key: string;
  /** What the object will have besides its body. */
  readonly about: Omit<NewObject, 'body'>;
  readonly parts: Map<number, UploadedPart>;
}

/** Uploads in parts, until they are complete. They are in memory only. */
export class Uploads {
  readonly #uploads = new Map<string, Upload>();

  begin(bucket: string, key: string, about: Upload['about']): string {
    const id = randomBytes(32).toString('base64url');
    this.#uploads.set(id, { bucket, key, about, parts: new Map() });
    return id;
  }

  /** @throws S3Error */
  add(id: string, place: Place, number: number, body: Buffer): UploadedPart {
    if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS)
      throw new S3Error(
        400,
        'InvalidArgument',
        `Part number must be an integer between 1 and ${String(MOST_PARTS)}`,
      );
    const part = { number, body, etag: etagOf(body), modifiedAt: Date.now() };
    this.#find(id, place).parts.set(number, part);
    return part;
  }

  /** The parts in order. @throws S3Error */
  parts(id: string, place: Place): readonly UploadedPart[] {
    return [...this.#find(id, place).parts.values()].sort((a, b) => a.number - b.number);
  }

  /** The object that the named parts make. @throws S3Error */
  complete(
    id: string,
    place: Place,
    named: readonly { readonly number: number; readonly etag: string }[],
  ): NewObject {
    const { about, parts } = this.#find(id, place);
    const chosen = named.map(({ number, etag }) => {
      const part = parts.get(number);
      if (part === undefined || !sameEtag(etag, part.etag))
        throw new S3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found.');
      return part;
    });
    if (chosen.length === 0)
      throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed');
    if (chosen.some(({ number }, index) => number <= (chosen[index - 1]?.number ?? 0)))
      throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
    if (chosen.slice(0, -1).some(({ body }) => body.length < LEAST_PART))
      throw new S3Error(
        400,
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
      );
    const digests = chosen.map(({ body }) => createHash('md5').update(body).digest());
    const etag = `"${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${String(chosen.length)}"`;
    return { ...about, body: Buffer.concat(chosen.map(({ body }) => body)), etag };
  }

  /** @throws S3Error */
  end(id: string, place: Place): void {
    this.#find(id, place);
    this.#uploads.delete(id);
  }

  clear(): void {
    this.#uploads.clear();
  }

  #find(id: string, { bucket, key }: Place): Upload {
    const found = this.#uploads.get(id);
    if (found?.bucket !== bucket || found.key !== key)
      throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.');
    return found;
  }
}

interface Place {
  readonly bucket: string;
  readonly key: string;
}
