import type { Adapter, AdapterPayload } from 'oidc-provider';

/** What one identity provider keeps. */
export type Entries = Map<string, AdapterPayload>;

/** Keeps the sessions, codes and tokens of `oidc-provider` in memory. After a restart, users sign in again. */
export class MemoryAdapter implements Adapter {
  readonly #entries: Entries;
  readonly #model: string;

  constructor(model: string, entries: Entries) {
    [this.#model, this.#entries] = [model, entries];
  }

  upsert(id: string, payload: AdapterPayload): Promise<void> {
    this.#entries.set(this.#key(id), payload);
    return Promise.resolve();
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.#entries.get(this.#key(id)));
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.#search((payload) => payload.uid === uid));
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.#search((payload) => payload.userCode === userCode));
  }

  consume(id: string): Promise<void> {
    const payload = this.#entries.get(this.#key(id));
    if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    return Promise.resolve();
  }

  destroy(id: string): Promise<void> {
    this.#entries.delete(this.#key(id));
    return Promise.resolve();
  }

  revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, payload] of this.#entries) {
      if (payload.grantId === grantId) this.#entries.delete(key);
    }
    return Promise.resolve();
  }

  #key(id: string): string {
    return `${this.#model}:${id}`;
  }

  #search(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    const entries = [...this.#entries].filter(([key]) => key.startsWith(`${this.#model}:`));
    return entries.find(([, payload]) => matches(payload))?.[1];
  }
}
