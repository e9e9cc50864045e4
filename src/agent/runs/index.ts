/** Runs: admission, deadline, the turn of a conversation around each, and their end. */
export type { RunEvent } from './run-event.js';
export type { RunRequest } from './run-request.js';
export { Runs } from './runs.js';
