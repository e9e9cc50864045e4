import { AppError } from '../../common/errors/index.js';
import type {
  ListedKey,
  ObjectHead,
  ObjectStore,
  StoredText,
  WriteCondition,
  WriteOptions,
} from '../object-store.js';

/** A store in memory, with S3's preconditions, for tests. */
export class MemoryStore implements ObjectStore {
  readonly objects = new Map<string, StoredText & { readonly modifiedAt: Date }>();
  readonly #written = new Map<string, { readonly at: number; readonly note: string | undefined }>();
  /** Called before each write. The write rejects with the error that it throws. */
  beforePut: (key: string) => void = () => undefined;
  /** Called after each write. The answer of the write is lost when it throws. */
  afterPut: (key: string) => void = () => undefined;
  /** Called before each batch delete. The delete rejects with the error that it throws. */
  beforeDelete: () => void = () => undefined;
  #version = 0;

  async get(key: string, signal?: AbortSignal): Promise<StoredText | undefined> {
    await Promise.resolve();
    refuseAborted(signal);
    return this.objects.get(key);
  }

  find(key: string, signal?: AbortSignal): Promise<StoredText | undefined> {
    return this.get(key, signal);
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    await Promise.resolve();
    const written = this.#written.get(key);
    if (!this.objects.has(key) || written === undefined) return undefined;
    return { ageMs: Date.now() - written.at, note: written.note };
  }

  async put(
    key: string,
    text: string,
    condition: WriteCondition,
    { signal, note }: WriteOptions = {},
  ): Promise<{ readonly version: string } | 'conflict'> {
    await Promise.resolve();
    refuseAborted(signal);
    this.beforePut(key);
    const current = this.objects.get(key);
    if ('ifAbsent' in condition && current !== undefined) return 'conflict';
    if ('ifVersion' in condition && current?.version !== condition.ifVersion) return 'conflict';
    this.#version += 1;
    const version = String(this.#version);
    const writtenAt = Date.now();
    this.objects.set(key, { text, version, modifiedAt: new Date(writtenAt + this.#version) });
    this.#written.set(key, { at: writtenAt, note });
    this.afterPut(key);
    return { version };
  }

  list(prefix: string, limit: number, from?: { readonly after: string }): Promise<readonly ListedKey[]> {
    const found = [...this.objects]
      .filter(([key]) => key.startsWith(prefix) && key > (from?.after ?? ''))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return Promise.resolve(found.slice(0, limit).map(([key, { modifiedAt }]) => ({ key, modifiedAt })));
  }

  deleteVersion(key: string, version: string): Promise<void> {
    if (this.objects.get(key)?.version === version) this.objects.delete(key);
    return Promise.resolve();
  }

  async delete(keys: readonly string[]): Promise<void> {
    await Promise.resolve();
    this.beforeDelete();
    for (const key of keys) this.objects.delete(key);
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new AppError('sessions_unavailable', { reason: 'aborted' });
}
