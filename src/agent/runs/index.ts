/** Runs: admission, deadline, the turn of a conversation around each, and their end. */
export type { RunEvent } from './run-event.js';
export type { RunRequest } from './run-request.js';
export { OtherTasks } from './other-tasks.js';
export type { RunReader } from './running-run.js';
export { Runs } from './runs.js';
export { Summaries } from './summaries.js';
