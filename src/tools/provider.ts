import type { Type } from '@nestjs/common';
import type { ConfigurableProvider, ProviderConfig } from '../config/index.js';
import type { ProviderCallContext } from './agent-tool.decorator.js';
import type { ApiConventions, ProviderApi } from './provider-api.js';

/** The meaning of a scope in the provider's own words, and why a wider one than the task needs is asked for. */
export type ScopeText = string | { readonly allows: string; readonly why: string };

/** A scope as its user is shown it. */
export function scopeInWords(text: ScopeText): { readonly allows: string; readonly why?: string } {
  return typeof text === 'string' ? { allows: text } : { ...text };
}

/** The account at a provider that a token belongs to. */
export interface Account {
  /** The provider's own id: stable, never used again for somebody else. */
  readonly id: string;
  /** The account's name for people. */
  readonly login: string;
  /** The scopes that the token has, where the provider says. */
  readonly scopes?: readonly string[];
}

/** How the doctor recognizes the provider. Plain facts, so that it needs none of the provider's code. */
export interface ProviderDiagnosis {
  /** The vendors of AgentCore Identity under which its OAuth client may be registered, its own first. */
  readonly vendors: readonly string[];
  /** The only host of the API for which that first vendor is right. */
  readonly vendorApiHost: string;
  /** A path of the API that answers without a token. */
  readonly probePath: string;
  /** Members of which such an answer has at least one. */
  readonly probeMembers: readonly string[];
  /** The page on which its OAuth clients are set up. */
  readonly clientsUrl: string;
}

/**
 * A provider: everything that the agent, its users and its operators need to know of it. Its folder exports one of
 * these, and `roles/providers.ts` lists it.
 *
 * @example
 * export const parrot: Provider = {
 *   id: 'parrot',
 *   label: 'Parrot',
 *   apiBase: 'https://api.parrot.example',
 *   scopes: { speak: 'Speak in your name' },
 *   settingsUrl: 'https://parrot.example/settings/applications',
 *   tools: [ParrotTools],
 * };
 */
export interface Provider extends ConfigurableProvider, ApiConventions {
  /** `^[a-z][a-z0-9-]{0,31}$`; names the configuration, the stored connections and the tools' access. */
  readonly id: string;
  /** Each scope that a tool asks for, in words. */
  readonly scopes: Readonly<Record<string, ScopeText>>;
  /** The page on which users revoke their grants. Where customers run servers of their own, it follows from the API's base. */
  readonly settingsUrl: string | ((apiBase: string) => string);
  /** Injectables with `@AgentTool` methods. They can inject `ProviderApi`. */
  readonly tools: readonly Type[];
  /** Further parameters of its authorization request, such as `prompt`, `access_type` or `audience`. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /**
   * Finds the account that a token belongs to. With it, a user's tools never act as two accounts without the user's knowledge.
   * @throws ToolError | TokenRefusedError
   */
  readonly identify?: (api: ProviderApi, context: ProviderCallContext) => Promise<Account>;
  /** Absent: the doctor looks at the credential provider alone. */
  readonly diagnosis?: ProviderDiagnosis;
}

/** The page on which the users of this deployment revoke their grants. */
export function settingsUrlOf({
  provider: { settingsUrl },
  config,
}: Pick<OfferedProvider, 'provider' | 'config'>): string {
  return typeof settingsUrl === 'string' ? settingsUrl : settingsUrl(config.apiBase);
}

/** A provider that this deployment offers. */
export class OfferedProvider {
  readonly provider: Provider;
  readonly config: ProviderConfig;
  readonly #api: ProviderApi;

  constructor(provider: Provider, config: ProviderConfig, api: ProviderApi) {
    this.provider = provider;
    this.config = config;
    this.#api = api;
  }

  /** Undefined where the provider does not say which account a token belongs to. */
  get identify(): ((context: ProviderCallContext) => Promise<Account>) | undefined {
    const { identify } = this.provider;
    return identify === undefined ? undefined : (context) => identify(this.#api, context);
  }
}
