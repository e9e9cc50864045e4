/** A provider as its tools and its users know it. */
export interface ProviderDescription {
  readonly id: string;
  /** The provider's name for people. */
  readonly label: string;
  /** The name of its OAuth2 credential provider in AgentCore Identity. */
  readonly credentialProvider: string;
  /** What each scope allows, in words. */
  readonly scopes: Readonly<Record<string, string>>;
}

/** A class with `@AgentTool` methods. */
export interface ToolProvider {
  readonly provider: ProviderDescription;
}
