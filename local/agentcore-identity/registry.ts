import { randomUUID } from 'node:crypto';
import { conflict, notFound } from './errors.ts';
import type { CredentialProvider } from './oauth-client.ts';

/** A workload identity. */
export interface Workload {
  readonly name: string;
  readonly allowedResourceOauth2ReturnUrls: readonly string[];
  /** Unix milliseconds. */
  readonly createdAt?: number;
  readonly updatedAt?: number;
}

/** A credential provider that holds an API key. */
export interface ApiKeyProvider {
  readonly name: string;
  readonly apiKey: string;
  readonly createdAt?: number;
}

/** What is registered. */
export interface Registrations {
  readonly workloads: readonly Workload[];
  readonly credentialProviders: readonly CredentialProvider[];
  readonly apiKeys: readonly ApiKeyProvider[];
}

interface Named {
  readonly name: string;
}

/** What is registered with the control plane. It is in memory, and `reset` restores what the part was started with. */
export class Registry {
  readonly workloads: Workload[] = [];
  readonly credentialProviders: CredentialProvider[] = [];
  readonly apiKeys: ApiKeyProvider[] = [];
  readonly #initial: Registrations;

  constructor(initial: Registrations) {
    this.#initial = initial;
    for (const list of Object.values(initial) as readonly (readonly Named[])[]) requireDifferent(list);
    this.restore(initial);
  }

  /** Registers what a snapshot holds, and nothing else. */
  restore({ workloads, credentialProviders, apiKeys }: Registrations): void {
    this.workloads.splice(0, this.workloads.length, ...workloads);
    this.credentialProviders.splice(0, this.credentialProviders.length, ...credentialProviders);
    this.apiKeys.splice(0, this.apiKeys.length, ...apiKeys);
  }

  snapshot(): Registrations {
    const { workloads, credentialProviders, apiKeys } = this;
    return structuredClone({ workloads, credentialProviders, apiKeys });
  }

  reset(): void {
    this.restore(this.#initial);
  }
}

function requireDifferent(list: readonly Named[]): void {
  const twice = list.find(({ name }, index) => list.findIndex((each) => each.name === name) < index);
  if (twice !== undefined)
    throw new Error(`AgentCore Identity has two registrations with the name ${twice.name}.`);
}

/** @throws ServiceError ConflictException */
export function add<T extends Named>(list: T[], entry: T): void {
  if (list.some(({ name }) => name === entry.name)) throw conflict(`${entry.name} exists already`);
  list.push(entry);
}

/** @throws ServiceError ResourceNotFoundException */
export function find<T extends Named>(list: readonly T[], name: string, what: string): T {
  const found = list.find((each) => each.name === name);
  if (found === undefined) throw notFound(`${what} ${name} does not exist`);
  return found;
}

/** @throws ServiceError ResourceNotFoundException */
export function replace<T extends Named>(list: T[], entry: T, what: string): void {
  list[list.indexOf(find(list, entry.name, what))] = entry;
}

/** @throws ServiceError ResourceNotFoundException */
export function remove(list: Named[], name: string, what: string): void {
  list.splice(list.indexOf(find(list, name, what)), 1);
}

export const newCallbackId = (): string => randomUUID();
