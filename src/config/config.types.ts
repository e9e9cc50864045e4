export const ROLES = ['agent', 'session-binding'] as const;
export type Role = (typeof ROLES)[number];

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How a request identifies its user: by the token of the load balancer, or by the identity provider's own access token. */
export type SignInKind = 'alb' | 'bearer';

/** Settings of the process itself. */
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

/** The values that the load balancer's tokens must have. */
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
  /** The audience that access tokens must have; used only when users send one. */
  readonly bearerAudience: string;
  /** Whether AgentCore Identity gets the identity provider's own access token instead of the user's `sub`. */
  readonly withUserToken: boolean;
  /** Where a browser goes after signing out, to also end the identity provider's session. */
  readonly signOutUrl: string | undefined;
}

/** How tickets and cookies of an authorization are sealed, and where they lead. */
export interface FlowConfig {
  /** The secret that seals. Both roles derive keys from it. */
  readonly secret: string;
  /** Further secrets that only open sealed values: the previous secret or the next one during a replacement. */
  readonly acceptedSecrets: readonly string[];
  /** The origin of this deployment. Links lead to it, and keys are valid for it only. */
  readonly publicUrl: string;
  /** The origin of every authorization URL that AgentCore Identity gives out. */
  readonly authorizationOrigin: string;
}

/** AgentCore Identity. */
export interface IdentityConfig {
  readonly region: string;
  readonly sessionBindingUrl: string;
  readonly authorizationOrigin: string;
  /** How long one call may take with all its attempts. */
  readonly deadlineMs: number;
}

export interface AgentIdentityConfig extends IdentityConfig {
  readonly workloadIdentityName: string;
}

/** The bucket: conversations and connections of the agent role, and the flow ledger of both. */
export interface ConversationsConfig {
  readonly region: string;
  readonly bucket: string;
  /** Whether requests have the bucket in their path, not in their host. */
  readonly pathStyle: boolean;
  /** How long one call may take with all its attempts. */
  readonly deadlineMs: number;
}

/** The model, in Amazon Bedrock. */
export interface ModelConfig {
  readonly region: string;
  /** An inference profile's id, a model's id or an ARN. */
  readonly id: string;
  /** How long the model may think before its answer begins, with all attempts. */
  readonly firstByteMs: number;
  /** How long the model may be silent within an answer. */
  readonly idleMs: number;
  /** How long an answer may be. */
  readonly answerTokens: number;
}

/** Limits of a run, and how many runs a task takes. */
export interface RunsConfig {
  readonly deadlineSeconds: number;
  readonly modelCalls: number;
  readonly perTask: number;
  /** How long a run goes on when nobody reads its events any more. */
  readonly graceSeconds: number;
}

/** Limits of a user, across all tasks. A limit that is undefined does not exist. */
export interface LimitsConfig {
  readonly runsPerUser: number;
  readonly requestsPerDay: number | undefined;
  /** Input and output. */
  readonly tokensPerDay: number | undefined;
}

/** The properties of a provider that the configuration needs. */
export interface ConfigurableProvider {
  /** The prefix of its variables: `jira` has `JIRA_PROVIDER_NAME` and `JIRA_API_BASE`. */
  readonly id: string;
  /** The provider's name for people. */
  readonly label: string;
  /** Its REST API, unless the environment names another one. */
  readonly apiBase: string;
}

/** A provider that the agent offers. */
export interface ProviderConfig {
  /** The name of its OAuth2 credential provider in AgentCore Identity. */
  readonly credentialProvider: string;
  /** Its REST API, without a trailing slash. */
  readonly apiBase: string;
  /** Whether session binding can end the grants of its users. */
  readonly isRevocable?: boolean;
  /** How long one call may take with all its attempts. */
  readonly deadlineMs: number;
}

/** A provider at which session binding can end what users have authorized. Plain facts: it has no code of a provider. */
export interface RevocableProvider extends ConfigurableProvider {
  /** The address of its revocation endpoint (RFC 7009), or GitHub's own way. */
  readonly revocation: 'github' | { readonly endpoint: string };
  /** A path of its API that answers 401 to a token that it does not accept. */
  readonly probePath: string;
}

/** The OAuth client of a provider, whose grants session binding can end. */
export interface RevocationClient extends Pick<RevocableProvider, 'revocation' | 'probePath'> {
  readonly apiBase: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The clients by the ids of their providers. */
export interface RevocationConfig {
  readonly clients: Readonly<Record<string, RevocationClient>>;
  /** How long the end of a grant may take, with the question whether it has ended. */
  readonly deadlineMs: number;
}

/** Where traces and metrics are sent. */
export interface TelemetryConfig {
  /** An OTLP/HTTP endpoint, without a trailing slash. */
  readonly endpoint: string;
  /** Attributes of the resource: `service.name` and the like. */
  readonly attributes: Readonly<Record<string, string>>;
}

interface CommonConfig {
  readonly service: ServiceConfig;
  /** Absent if nothing is recorded. */
  readonly telemetry?: TelemetryConfig;
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
  readonly limits: LimitsConfig;
  /** The providers by their ids; a provider that is not configured is absent. */
  readonly providers: Readonly<Record<string, ProviderConfig>>;
}

/** The configuration of the session-binding role. */
export interface SessionBindingRoleConfig extends CommonConfig {
  readonly role: 'session-binding';
  readonly revocation: RevocationConfig;
}

/** The whole configuration of one process, in slices; discriminated by `role`. */
export type AppConfig = AgentRoleConfig | SessionBindingRoleConfig;

/** The environment of a process: values by name. */
export type Environment = Readonly<Record<string, string | undefined>>;
