export { JsonLogger, standardOutput } from './json-logger.js';
