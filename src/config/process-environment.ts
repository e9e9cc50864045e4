import type { Environment } from './config.types.js';

/** The variables of this process. Only this file of the application reads `process.env`. */
export function processEnvironment(): Environment {
  return process.env;
}
