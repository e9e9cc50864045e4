import { setTimeout as delay } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  type GetObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { z } from 'zod';
import { awsClientOptions, tracedCall } from '../common/aws/index.js';
import { Circuit } from '../common/circuit/index.js';
import { withDeadline } from '../common/deadline/index.js';
import { AppError, errorFields } from '../common/errors/index.js';
import { CONVERSATIONS_CONFIG, type ConversationsConfig } from '../config/index.js';
import type {
  ListedKey,
  ObjectHead,
  ObjectStore,
  StoredText,
  WriteCondition,
  WriteOptions,
} from './object-store.js';

const PAGE = 1_000;
const FORBIDDEN = 403;
/** S3 answers 412 when a condition is not met. */
const CONDITION_NOT_MET = 412;
/** S3 answers 409 when two conditional writes collide. Neither may have been done: the writer tries again. */
const COLLIDED = 409;
const ATTEMPTS = 3;
const PAUSE_MS = 30;
/** The name of a note in an object's metadata. */
const NOTE = 'note';

/**
 * Amazon S3 through the AWS SDK. The SDK's variable `AWS_ENDPOINT_URL_S3` can replace its address. Each call ends by its
 * deadline, also when S3 stalls in the middle of an answer, and at once while S3 is down.
 */
@Injectable()
export class S3Adapter implements ObjectStore, OnApplicationShutdown {
  readonly #logger = new Logger(S3Adapter.name);
  readonly #circuit = new Circuit('s3');
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #deadlineMs: number;

  constructor(@Inject(CONVERSATIONS_CONFIG) { bucket, region, pathStyle, deadlineMs }: ConversationsConfig) {
    this.#bucket = bucket;
    this.#deadlineMs = deadlineMs;
    this.#client = new S3Client({ ...awsClientOptions(region), forcePathStyle: pathStyle });
  }

  async get(key: string, signal?: AbortSignal): Promise<StoredText | undefined> {
    return this.#call('GetObject', signal, (ends) => this.#read(key, ends));
  }

  async find(key: string, signal?: AbortSignal): Promise<StoredText | undefined> {
    return this.#call('GetObject', signal, (ends) =>
      this.#read(key, ends).catch((error: unknown) => {
        if (!(error instanceof S3ServiceException) || statusOf(error) !== FORBIDDEN) throw error;
        // Most likely the object does not exist. If S3 answers every request this way, the role's permissions are wrong.
        this.#logger.warn({ event: 'object_hidden', ...errorFields(error) });
        return undefined;
      }),
    );
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    return this.#call('HeadObject', undefined, async (ends) => {
      const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: key });
      const answeredAt = recordDate(command);
      try {
        const { LastModified, Metadata } = await this.#client.send(command, { abortSignal: ends });
        const ageMs = required(answeredAt()) - required(LastModified).getTime();
        return { ageMs, note: Metadata?.[NOTE] };
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    });
  }

  async put(
    key: string,
    text: string,
    condition: WriteCondition,
    { signal, note }: WriteOptions = {},
  ): Promise<{ readonly version: string } | 'conflict'> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: text,
      ContentType: 'application/json',
      ...(note !== undefined && { Metadata: { [NOTE]: note } }),
      ...('ifVersion' in condition && { IfMatch: condition.ifVersion }),
      ...('ifAbsent' in condition && { IfNoneMatch: '*' }),
    });
    return this.#call('PutObject', signal, async (ends) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const { ETag } = await this.#client.send(command, { abortSignal: ends });
          return { version: required(ETag) };
        } catch (error) {
          // S3 answers NoSuchKey when the condition names a version but the object no longer exists.
          if (error instanceof NoSuchKey && 'ifVersion' in condition) return 'conflict';
          if (!isConflict(error)) throw error;
          if (statusOf(error) === COLLIDED && attempt < ATTEMPTS) {
            await delay(PAUSE_MS * attempt * (1 + Math.random()), undefined, { signal: ends });
            continue;
          }
          // A retry by the SDK can collide with our own first attempt, whose answer was lost.
          if ((error.$metadata.attempts ?? 1) === 1) return 'conflict';
          const stored = await this.#read(key, ends);
          return stored?.text === text ? { version: stored.version } : 'conflict';
        }
      }
    });
  }

  async list(
    prefix: string,
    limit: number,
    from?: { readonly after: string },
  ): Promise<readonly ListedKey[]> {
    const keys: ListedKey[] = [];
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        MaxKeys: Math.min(PAGE, limit - keys.length),
        ContinuationToken: token,
        ...(from !== undefined && { StartAfter: from.after }),
      });
      const page = await this.#call('ListObjectsV2', undefined, (ends) =>
        this.#client.send(command, { abortSignal: ends }),
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
      const { Errors } = await this.#call('DeleteObjects', undefined, (ends) =>
        this.#client.send(command, { abortSignal: ends }),
      );
      if (Errors !== undefined && Errors.length > 0)
        throw new AppError('sessions_unavailable', { reason: 'DeleteObjects' });
    }
  }

  async deleteVersion(key: string, version: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: key, IfMatch: version });
    await this.#call('DeleteObject', undefined, async (ends) => {
      try {
        await this.#client.send(command, { abortSignal: ends });
      } catch (error) {
        if (!isConflict(error) && !(error instanceof NoSuchKey)) throw error;
      }
    });
  }

  /** Closes the connections. */
  onApplicationShutdown(): void {
    this.#client.destroy();
  }

  async #read(key: string, ends: AbortSignal): Promise<StoredText | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#head(key, ends);
      if (answer === undefined) return undefined;
      try {
        const text = await required(answer.Body).transformToString('utf8');
        return { text, version: required(answer.ETag) };
      } catch (error) {
        // The SDK tries again until the head of an answer is there. A body that is cut off is read again here.
        if (ends.aborted || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** The head of an object's answer, with its body still to be read. */
  async #head(key: string, ends: AbortSignal): Promise<GetObjectCommandOutput | undefined> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    try {
      return await this.#client.send(command, { abortSignal: ends });
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  async #call<T>(
    operation: string,
    signal: AbortSignal | undefined,
    send: (ends: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#circuit.call(signal, () =>
        tracedCall('S3', operation, () => withDeadline(this.#deadlineMs, signal, send)),
      );
    } catch (error) {
      if (signal?.aborted === true)
        throw new AppError('sessions_unavailable', { reason: 'aborted', cause: error });
      this.#logger.error({ event: 'sessions_call_failed', operation, ...errorFields(error) });
      throw new AppError('sessions_unavailable', { reason: operation, cause: error });
    }
  }
}

function isConflict(error: unknown): error is S3ServiceException {
  return error instanceof S3ServiceException && [COLLIDED, CONDITION_NOT_MET].includes(statusOf(error) ?? 0);
}

function statusOf({ $metadata }: S3ServiceException): number | undefined {
  return $metadata.httpStatusCode;
}

/** The time at which S3 answered, by its own clock: the SDK does not tell it. */
function recordDate(command: HeadObjectCommand): () => number | undefined {
  let at: number | undefined;
  command.middlewareStack.add(
    (next) => async (given) => {
      const result = await next(given);
      at = dateOf(result.response);
      return result;
    },
    { step: 'deserialize', name: 'recordDate' },
  );
  return () => at;
}

const dated = z.object({ headers: z.object({ date: z.string() }) });

function dateOf(response: unknown): number | undefined {
  const date = dated.safeParse(response).data?.headers.date;
  return date === undefined ? undefined : Date.parse(date);
}

/** What S3 always sends. Without it, the answer is not from S3. */
function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('S3 answered without a version or a body');
  return value;
}
