import { signal } from '@preact/signals';
import type { ConnectionView } from '../net/api.ts';

/** The names of providers, scopes and tools, as the service tells them. Until then, their ids. */
export class Names {
  readonly connections = signal<readonly ConnectionView[]>([]);

  provider(id: unknown): string {
    return this.#connection(id)?.label ?? textOf(id);
  }

  scope(provider: unknown, scope: string): { readonly allows: string; readonly why?: string } {
    return this.#connection(provider)?.scopes.find((each) => each.scope === scope) ?? { allows: scope };
  }

  /** Whether the user's account was seen with a scope already. */
  has(provider: unknown, scope: string): boolean {
    return this.#connection(provider)?.account?.scopes.includes(scope) === true;
  }

  account(provider: unknown): string | undefined {
    return this.#connection(provider)?.account?.login;
  }

  tool(name: string): string {
    const tools = this.connections.value.flatMap((connection) => connection.tools);
    return tools.find((tool) => tool.name === name)?.title ?? name.replaceAll('_', ' ');
  }

  #connection(id: unknown): ConnectionView | undefined {
    return this.connections.value.find(({ provider }) => provider === id);
  }
}

/** A text of an interrupt's metadata; empty where it is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
