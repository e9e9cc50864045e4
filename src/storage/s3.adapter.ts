import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { awsClientOptions } from '../common/aws/index.js';
import { AppError, errorFields } from '../common/errors/index.js';
import { CONVERSATIONS_CONFIG, type ConversationsConfig } from '../config/index.js';
import type { ListedKey, ObjectStore, StoredText, WriteCondition } from './object-store.js';

const PAGE = 1_000;
const FORBIDDEN = 403;
/** S3 answers 412 when a condition is not met, and 409 when two conditional writes collide. */
const CONFLICTS = new Set([409, 412]);

/** Amazon S3 through the AWS SDK. The SDK's variable `AWS_ENDPOINT_URL_S3` can replace its address. */
@Injectable()
export class S3Adapter implements ObjectStore, OnApplicationShutdown {
  readonly #logger = new Logger(S3Adapter.name);
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(@Inject(CONVERSATIONS_CONFIG) { bucket, region }: ConversationsConfig) {
    this.#bucket = bucket;
    this.#client = new S3Client(awsClientOptions(region));
  }

  async get(key: string): Promise<StoredText | undefined> {
    return this.#call('GetObject', () => this.#read(key));
  }

  async find(key: string): Promise<StoredText | undefined> {
    return this.#call('GetObject', () =>
      this.#read(key).catch((error: unknown) => {
        if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== FORBIDDEN)
          throw error;
        // Most likely the object does not exist. If S3 answers every request this way, the role's permissions are wrong.
        this.#logger.warn({ event: 'object_hidden', ...errorFields(error) });
        return undefined;
      }),
    );
  }

  async put(
    key: string,
    text: string,
    condition: WriteCondition,
  ): Promise<{ readonly version: string } | 'conflict'> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: text,
      ContentType: 'application/json',
      ...('ifVersion' in condition && { IfMatch: condition.ifVersion }),
      ...('ifAbsent' in condition && { IfNoneMatch: '*' }),
    });
    return this.#call('PutObject', async () => {
      try {
        const { ETag } = await this.#client.send(command);
        return { version: ETag ?? '' };
      } catch (error) {
        // S3 answers NoSuchKey when the condition names a version but the object no longer exists.
        if (error instanceof NoSuchKey && 'ifVersion' in condition) return 'conflict';
        if (!isConflict(error)) throw error;
        // A retry by the SDK can collide with our own first attempt, whose answer was lost.
        if ((error.$metadata.attempts ?? 1) === 1) return 'conflict';
        const stored = await this.get(key);
        return stored?.text === text ? { version: stored.version } : 'conflict';
      }
    });
  }

  async list(prefix: string, limit: number): Promise<readonly ListedKey[]> {
    const keys: ListedKey[] = [];
    let token: string | undefined;
    do {
      const page = await this.#call('ListObjectsV2', () =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: prefix,
            MaxKeys: Math.min(PAGE, limit - keys.length),
            ContinuationToken: token,
          }),
        ),
      );
      for (const { Key, LastModified } of page.Contents ?? []) {
        if (Key !== undefined) keys.push({ key: Key, modifiedAt: LastModified ?? new Date(0) });
      }
      token = page.NextContinuationToken;
    } while (token !== undefined && keys.length < limit);
    return keys;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += PAGE) {
      const Objects = keys.slice(at, at + PAGE).map((Key) => ({ Key }));
      const command = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } });
      const { Errors } = await this.#call('DeleteObjects', () => this.#client.send(command));
      if (Errors !== undefined && Errors.length > 0)
        throw new AppError('sessions_unavailable', { reason: 'DeleteObjects' });
    }
  }

  async deleteVersion(key: string, version: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: key, IfMatch: version });
    await this.#call('DeleteObject', async () => {
      try {
        await this.#client.send(command);
      } catch (error) {
        if (!isConflict(error) && !(error instanceof NoSuchKey)) throw error;
      }
    });
  }

  onApplicationShutdown(): void {
    this.#client.destroy();
  }

  async #read(key: string): Promise<StoredText | undefined> {
    try {
      const { Body, ETag } = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#bucket, Key: key }),
      );
      return { text: (await Body?.transformToString('utf8')) ?? '', version: ETag ?? '' };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  async #call<T>(operation: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (error instanceof AppError) throw error;
      this.#logger.error({ event: 'sessions_call_failed', operation, ...errorFields(error) });
      throw new AppError('sessions_unavailable', { reason: operation, cause: error });
    }
  }
}

function isConflict(error: unknown): error is S3ServiceException {
  return error instanceof S3ServiceException && CONFLICTS.has(error.$metadata.httpStatusCode ?? 0);
}
