/** The users' conversations in the bucket: working set, records, claims. Knows nothing of agent or model. */
export {
  contentBlock,
  json,
  toolResult,
  toolUseIdsOf,
  type ContentBlock,
  type Json,
  type StoredMessage,
  type ToolResult,
} from './content.js';
export type { PendingRun } from './conversation.js';
export { Conversations, type FoundRun, type LeavingMessages } from './conversations.js';
export { SharedRuns, type RunName } from './shared-runs.js';
export { interruptView, storedInterrupt, type StoredInterrupt } from './interrupt.js';
export { sessionId } from './session-id.js';
export { TaskLease } from './task-lease.js';
export { SessionsModule } from './sessions.module.js';
export type { TurnRequest } from './claim.js';
export type { Turn, TurnResult } from './turn.js';
