import type { Environment } from './config.types.js';

/** The variables of this process. The only place of the application that reads `process.env`. */
export function processEnvironment(): Environment {
  return process.env;
}
