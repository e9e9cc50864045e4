export const ROLES = ['agent', 'session-binding'] as const;
export type Role = (typeof ROLES)[number];

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How the user is named towards AgentCore Identity: by `sub`, or by the identity provider's own access token. */
export type WorkloadTokenSource = 'user-id' | 'jwt';

/** How users come with a request: vouched for by the load balancer, or with the identity provider's own access token. */
export type SignInKind = 'alb' | 'bearer';

/** What the load balancer's tokens must say. */
export interface AlbConfig {
  readonly arn: string;
  readonly issuer: string;
  readonly clientId: string;
  /** A key is at `<publicKeysUrl>/<kid>`. */
  readonly publicKeysUrl: string;
}

/** How tickets and cookies of an authorization are sealed. */
export interface FlowConfig {
  /** Seals. Both roles derive keys from it. */
  readonly secret: string;
  /** Open, beside the first: a secret that is being replaced, or the one to come. */
  readonly acceptedSecrets: readonly string[];
  /** Keys are good for this deployment only: its `publicUrl`. */
  readonly deployment: string;
}

interface CommonConfig {
  readonly port: number;
  /** The address to listen on. */
  readonly host: string;
  readonly environment: string;
  readonly logLevel: LogLevel;
  /** The origin at which users reach the load balancer, without a trailing slash. */
  readonly publicUrl: string;
  readonly sessionBindingUrl: string;
  readonly identityRegion: string;
  readonly workloadTokenSource: WorkloadTokenSource;
  readonly region: string;
  readonly alb: AlbConfig;
  readonly flow: FlowConfig;
  /** The origin of every authorization URL that AgentCore Identity gives out. */
  readonly authorizationOrigin: string;
  /** The bucket: conversations and connections of the agent role, and the flow ledger of both. */
  readonly bucket: string;
  /** Where a browser goes after signing out, to end the identity provider's session as well. */
  readonly signOutUrl: string | undefined;
}

export interface AgentRoleConfig extends CommonConfig {
  readonly role: 'agent';
  readonly signIn: SignInKind;
  /** Whom access tokens must be for, where users come with one. */
  readonly bearerAudience: string;
  readonly workloadIdentityName: string;
  /** Seconds. */
  readonly runDeadline: number;
  readonly model: { readonly provider: 'bedrock'; readonly id: string };
  readonly github: { readonly credentialProvider: string; readonly apiBase: string };
}

export interface SessionBindingRoleConfig extends CommonConfig {
  readonly role: 'session-binding';
}

/** The whole configuration of one process, discriminated by `role`. */
export type AppConfig = AgentRoleConfig | SessionBindingRoleConfig;

/** A process's environment: text by name. */
export type Environment = Readonly<Record<string, string | undefined>>;
