export { ConfigError, EX_CONFIG, type ConfigFault } from './config.error.js';
export { AppConfigModule, CONFIG } from './config.module.js';
export type {
  AgentRoleConfig,
  AlbConfig,
  AppConfig,
  Environment,
  FlowConfig,
  LogLevel,
  Role,
  SessionBindingRoleConfig,
  SignInKind,
  WorkloadTokenSource,
} from './config.types.js';
export { loadConfig } from './load-config.js';
export { processEnvironment, readEnvironment } from './read-environment.js';
export { discoveryUrl, jwksUrl } from './oidc-discovery.js';
export { VARIABLES } from './variables.js';
