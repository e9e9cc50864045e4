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
export { Conversations } from './conversations.js';
export { interruptView, type StoredInterrupt } from './interrupt.js';
export { sessionId } from './session-id.js';
export { SessionsModule } from './sessions.module.js';
export type { TurnInput } from './claim.js';
export type { Turn, TurnResult } from './turn.js';
