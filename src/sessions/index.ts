export {
  isSessionId,
  type Json,
  type PendingRun,
  type StoredInterrupt,
  type StoredMessage,
  type TurnOutcome,
} from './conversation.js';
export { Conversations } from './conversations.js';
export { SessionsModule } from './sessions.module.js';
export type { Turn, TurnInput, TurnResult } from './turn.js';
