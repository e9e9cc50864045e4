import type { ToolCall } from '../tool-call.js';
import { NO_NOTES } from './write-notes.js';

/** A call of alice's that nothing was decided of. @param more what is different */
export function aCall(more: Partial<ToolCall> = {}): ToolCall {
  return {
    user: { sub: 'alice' },
    sessionId: 'one',
    runId: 'run',
    signal: new AbortController().signal,
    approved: undefined,
    reauthenticated: false,
    account: undefined,
    writes: NO_NOTES,
    ...more,
  };
}
