import type { ToolCallContext } from './agent-tool.decorator.js';

/** What a scope allows, in the provider's own words, and why a wider one than the task needs is asked for. */
export type ScopeText = string | { readonly allows: string; readonly why: string };

/** A provider as its tools and its users know it. */
export interface ProviderDescription {
  readonly id: string;
  /** The provider's name for people. */
  readonly label: string;
  /** The name of its OAuth2 credential provider in AgentCore Identity. */
  readonly credentialProvider: string;
  /** What each scope allows, in words. */
  readonly scopes: Readonly<Record<string, ScopeText>>;
  /** Further parameters of its authorization request, such as `prompt`, `access_type` or `audience`. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
}

/** Whose token it is at the provider. */
export interface Account {
  /** The provider's own id: stable, never used again for somebody else. */
  readonly id: string;
  /** The account's name for people. */
  readonly login: string;
  /** The scopes that the token has, where the provider tells. */
  readonly scopes?: readonly string[];
}

/** A class with `@AgentTool` methods. */
export interface ToolProvider {
  readonly provider: ProviderDescription;
  /**
   * Tells whose token it is. With it, a user's tools never act as two accounts without the user's knowledge.
   * @throws ToolError | TokenRefusedError
   */
  identify?(context: Pick<ToolCallContext, 'accessToken' | 'signal'>): Promise<Account>;
}
