export const ROLES = ['agent', 'session-binding'] as const;
export type Role = (typeof ROLES)[number];

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How users come with a request: vouched for by the load balancer, or with the identity provider's own access token. */
export type SignInKind = 'alb' | 'bearer';

/** The process itself. */
export interface ServiceConfig {
  readonly role: Role;
  readonly port: number;
  /** The address to listen on. */
  readonly host: string;
  readonly environment: string;
  readonly logLevel: LogLevel;
  /** The origin at which users reach the load balancer, without a trailing slash. */
  readonly publicUrl: string;
}

/** The content that the load balancer's tokens must have. */
export interface AlbConfig {
  readonly arn: string;
  readonly issuer: string;
  readonly clientId: string;
  /** A key is at `<publicKeysUrl>/<kid>`. */
  readonly publicKeysUrl: string;
}

/** How users are signed in and out. */
export interface SignInConfig {
  readonly kind: SignInKind;
  /** The audience that access tokens must have, where users come with one. */
  readonly bearerAudience: string;
  /** AgentCore Identity is told the user by the identity provider's own access token, and not by `sub`. */
  readonly withUserToken: boolean;
  /** Where a browser goes after signing out, to end the identity provider's session as well. */
  readonly signOutUrl: string | undefined;
}

/** How tickets and cookies of an authorization are sealed, and where they lead. */
export interface FlowConfig {
  /** Seals. Both roles derive keys from it. */
  readonly secret: string;
  /** Open, beside the first: a secret that is being replaced, or the one to come. */
  readonly acceptedSecrets: readonly string[];
  /** Keys are good for this deployment only, and links lead to it. */
  readonly publicUrl: string;
  /** The origin of every authorization URL that AgentCore Identity gives out. */
  readonly authorizationOrigin: string;
}

/** AgentCore Identity. */
export interface IdentityConfig {
  readonly region: string;
  readonly sessionBindingUrl: string;
  readonly authorizationOrigin: string;
}

export interface AgentIdentityConfig extends IdentityConfig {
  readonly workloadIdentityName: string;
}

/** The bucket: conversations and connections of the agent role, and the flow ledger of both. */
export interface ConversationsConfig {
  readonly region: string;
  readonly bucket: string;
}

/** The model, in Amazon Bedrock. */
export interface ModelConfig {
  readonly region: string;
  /** An inference profile's id, a model's id or an ARN. */
  readonly id: string;
}

/** Limits of a run. */
export interface RunsConfig {
  readonly deadlineSeconds: number;
}

/** A provider that is offered. */
export interface ProviderConfig {
  /** The name of its OAuth2 credential provider in AgentCore Identity. */
  readonly credentialProvider: string;
  /** Its REST API, without a trailing slash. */
  readonly apiBase: string;
}

interface CommonConfig {
  readonly service: ServiceConfig;
  readonly alb: AlbConfig;
  readonly signIn: SignInConfig;
  readonly flow: FlowConfig;
  readonly identity: IdentityConfig;
  readonly conversations: ConversationsConfig;
}

/** The configuration of the agent role. */
export interface AgentRoleConfig extends CommonConfig {
  readonly role: 'agent';
  readonly identity: AgentIdentityConfig;
  readonly model: ModelConfig;
  readonly runs: RunsConfig;
  /** By the provider's id; a provider that is not configured is absent. */
  readonly providers: Readonly<Record<string, ProviderConfig>>;
}

/** The configuration of the session-binding role. */
export interface SessionBindingRoleConfig extends CommonConfig {
  readonly role: 'session-binding';
}

/** The whole configuration of one process, in slices; discriminated by `role`. */
export type AppConfig = AgentRoleConfig | SessionBindingRoleConfig;

/** A process's environment: text by name. */
export type Environment = Readonly<Record<string, string | undefined>>;
