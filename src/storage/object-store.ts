/** The port to the bucket. */
export const OBJECT_STORE = Symbol('ObjectStore');

export interface StoredText {
  readonly text: string;
  /** What a conditional write compares; the same for the same content. */
  readonly version: string;
}

export interface ListedKey {
  readonly key: string;
  readonly modifiedAt: Date;
}

/** When a write may happen: always, only on an unchanged version, or only where nothing is yet. */
export type WriteCondition =
  { readonly ifVersion: string } | { readonly ifAbsent: true } | { readonly always: true };

/** Every call rejects with AppError `sessions_unavailable` when the store does not answer, or refuses. */
export interface ObjectStore {
  /** An object, or undefined where there is none. */
  get(key: string): Promise<StoredText | undefined>;
  /** Like `get` for a caller who may not list the bucket: to them, S3 answers a missing object with 403. */
  find(key: string): Promise<StoredText | undefined>;
  /** The new version, or `conflict` when the condition did not hold. */
  put(
    key: string,
    text: string,
    condition: WriteCondition,
  ): Promise<{ readonly version: string } | 'conflict'>;
  /** All keys under a prefix, at most `limit` of them. */
  list(prefix: string, limit: number): Promise<readonly ListedKey[]>;
  /** Deletes objects; one that is not there is no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** Deletes one key unless it has changed since. */
  deleteVersion(key: string, version: string): Promise<void>;
}
