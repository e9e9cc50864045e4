/** The configuration: read once from the environment, checked as a whole, injected in slices. */
export { ConfigError, EX_CONFIG, type ConfigFault } from './config.error.js';
export {
  ALB_CONFIG,
  AppConfigModule,
  CONVERSATIONS_CONFIG,
  FLOW_CONFIG,
  IDENTITY_CONFIG,
  LIMITS_CONFIG,
  MODEL_CONFIG,
  REVOCATION_CONFIG,
  RUNS_CONFIG,
  SERVICE_CONFIG,
  SIGN_IN_CONFIG,
} from './config.module.js';
export type {
  AgentIdentityConfig,
  AgentRoleConfig,
  AlbConfig,
  AppConfig,
  ConfigurableProvider,
  ConversationsConfig,
  Environment,
  FlowConfig,
  IdentityConfig,
  LimitsConfig,
  ModelConfig,
  ProviderConfig,
  RevocableProvider,
  RevocationClient,
  RevocationConfig,
  RunsConfig,
  ServiceConfig,
  SessionBindingRoleConfig,
  SignInConfig,
  SignInKind,
} from './config.types.js';
export { loadConfig } from './load-config.js';
export { discoveryUrl, jwksUrl } from './oidc-discovery.js';
export { processEnvironment } from './process-environment.js';
export { usesPathStyle } from './s3-address.js';
export { allVariables, providerVariables } from './variables.js';
