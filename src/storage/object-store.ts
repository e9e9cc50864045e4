/** The port to the bucket. */
export const OBJECT_STORE = Symbol('ObjectStore');

export interface StoredText {
  readonly text: string;
  /** The value that a conditional write compares; the same for the same content. */
  readonly version: string;
}

export interface ObjectHead {
  /** How long ago the object was written, in milliseconds by the store's own clock and to the second. */
  readonly ageMs: number;
  /** The note that was written with it. */
  readonly note: string | undefined;
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** A short text that is read with the object's head: at most 1 kB of ASCII. */
  readonly note?: string;
}

export interface ListedKey {
  readonly key: string;
  readonly modifiedAt: Date;
}

/** The condition of a write: always, only on an unchanged version, or only when no object exists yet. */
export type WriteCondition =
  { readonly ifVersion: string } | { readonly ifAbsent: true } | { readonly always: true };

/**
 * Every call rejects with AppError `sessions_unavailable` when the store does not answer before its deadline, when it
 * refuses, and when the caller's signal aborts.
 */
export interface ObjectStore {
  /** An object, or undefined where there is none. */
  get(key: string, signal?: AbortSignal): Promise<StoredText | undefined>;
  /** Like `get`, for a caller who may not list the bucket. To such a caller, S3 answers 403 for a missing object. */
  find(key: string, signal?: AbortSignal): Promise<StoredText | undefined>;
  /** What is known of an object without its text; undefined where there is none. */
  head(key: string): Promise<ObjectHead | undefined>;
  /** Returns the new version, or `conflict` when the condition was not met. */
  put(
    key: string,
    text: string,
    condition: WriteCondition,
    more?: WriteOptions,
  ): Promise<{ readonly version: string } | 'conflict'>;
  /** Returns the keys under a prefix in their order, at most `limit` of them; `after`: those that come after a key. */
  list(prefix: string, limit: number, from?: { readonly after: string }): Promise<readonly ListedKey[]>;
  /** Deletes objects; one that is not there is no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** Deletes one key unless it has changed since. */
  deleteVersion(key: string, version: string): Promise<void>;
}
