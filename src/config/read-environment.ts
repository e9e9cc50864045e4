import type { AppConfig } from './config.types.js';
import { loadConfig } from './load-config.js';

/**
 * The configuration of this process. The only place of the application that reads `process.env`.
 * @throws ConfigError
 */
export function readEnvironment(): AppConfig {
  return loadConfig(process.env);
}
