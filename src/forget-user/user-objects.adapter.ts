import {
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  S3Client,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import { awsClientOptions } from '../common/aws/index.js';
import type { ConversationsConfig } from '../config/index.js';
import { BucketFault, type ObjectVersion, type UserObjects } from './user-objects.js';

const PAGE = 1_000;

/** The objects of one user in S3. A bucket that is not versioned has one version of each object, `null`. */
export class UserObjectsAdapter implements UserObjects {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefixes: readonly string[];

  constructor(
    { region, bucket, pathStyle }: Pick<ConversationsConfig, 'region' | 'bucket' | 'pathStyle'>,
    prefixes: readonly string[],
  ) {
    this.#client = new S3Client({ ...awsClientOptions(region), forcePathStyle: pathStyle });
    this.#bucket = bucket;
    this.#prefixes = prefixes;
  }

  async *pages(): AsyncGenerator<readonly ObjectVersion[], void, undefined> {
    for (const prefix of this.#prefixes) yield* this.#pagesOf(prefix);
  }

  async *#pagesOf(prefix: string): AsyncGenerator<readonly ObjectVersion[], void, undefined> {
    let after: Pick<ListObjectVersionsCommandOutput, 'NextKeyMarker' | 'NextVersionIdMarker'> = {};
    for (;;) {
      const command = new ListObjectVersionsCommand({
        Bucket: this.#bucket,
        Prefix: prefix,
        MaxKeys: PAGE,
        KeyMarker: after.NextKeyMarker,
        VersionIdMarker: after.NextVersionIdMarker,
      });
      const page = await this.#ask('s3:ListBucketVersions', () => this.#client.send(command));
      yield versionsOf(page);
      if (page.IsTruncated !== true) return;
      after = page;
    }
  }

  async delete(page: readonly ObjectVersion[]): Promise<void> {
    const action = 's3:DeleteObjectVersion';
    const Objects = page.map(({ key, versionId }) => ({ Key: key, VersionId: versionId }));
    const command = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } });
    const { Errors = [] } = await this.#ask(action, () => this.#client.send(command));
    const [first] = Errors;
    if (first !== undefined) throw new BucketFault(action, first.Code ?? 'an unnamed error');
  }

  async #ask<T>(action: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw new BucketFault(action, error instanceof Error ? error.name : 'an unnamed error', {
        cause: error,
      });
    }
  }
}

function versionsOf({
  Versions = [],
  DeleteMarkers = [],
}: ListObjectVersionsCommandOutput): readonly ObjectVersion[] {
  const versions = Versions.map(({ Key, VersionId, IsLatest }) => ({
    key: Key ?? '',
    versionId: VersionId ?? 'null',
    kind: IsLatest === true ? ('object' as const) : ('old version' as const),
  }));
  const markers = DeleteMarkers.map(({ Key, VersionId }) => ({
    key: Key ?? '',
    versionId: VersionId ?? 'null',
    kind: 'delete marker' as const,
  }));
  return [...versions, ...markers];
}
