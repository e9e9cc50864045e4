import type { Adapter, AdapterPayload } from 'oidc-provider';

/** Keeps the sessions, codes and tokens of `oidc-provider` in memory. After a restart, users sign in again. */
export class MemoryAdapter implements Adapter {
  static readonly #entries = new Map<string, AdapterPayload>();
  readonly #model: string;

  constructor(model: string) {
    this.#model = model;
  }

  static clear(): void {
    MemoryAdapter.#entries.clear();
  }

  upsert(id: string, payload: AdapterPayload): Promise<void> {
    MemoryAdapter.#entries.set(this.#key(id), payload);
    return Promise.resolve();
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(MemoryAdapter.#entries.get(this.#key(id)));
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.#search((payload) => payload.uid === uid));
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.#search((payload) => payload.userCode === userCode));
  }

  consume(id: string): Promise<void> {
    const payload = MemoryAdapter.#entries.get(this.#key(id));
    if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    return Promise.resolve();
  }

  destroy(id: string): Promise<void> {
    MemoryAdapter.#entries.delete(this.#key(id));
    return Promise.resolve();
  }

  revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, payload] of MemoryAdapter.#entries) {
      if (payload.grantId === grantId) MemoryAdapter.#entries.delete(key);
    }
    return Promise.resolve();
  }

  #key(id: string): string {
    return `${this.#model}:${id}`;
  }

  #search(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    const entries = [...MemoryAdapter.#entries].filter(([key]) => key.startsWith(`${this.#model}:`));
    return entries.find(([, payload]) => matches(payload))?.[1];
  }
}
