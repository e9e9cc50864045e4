import type { AppConfig, Environment } from './config.types.js';
import { loadConfig } from './load-config.js';

/** The variables of this process. The only place of the application that reads `process.env`. */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * The configuration of this process.
 * @throws ConfigError
 */
export function readEnvironment(): AppConfig {
  return loadConfig(processEnvironment());
}
