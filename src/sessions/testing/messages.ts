import type { PendingRun, StoredMessage } from '../conversation.js';

export const user = (text: string): StoredMessage => ({ role: 'user', content: [{ text }] });
export const assistant = (text: string): StoredMessage => ({ role: 'assistant', content: [{ text }] });

/** A run that two interrupts have paused. */
export const pending: PendingRun = {
  interrupts: [
    { id: 'interrupt-1', reason: 'authorization_required', toolCallId: 'a', metadata: {} },
    { id: 'interrupt-2', reason: 'authorization_required', toolCallId: 'b', metadata: {} },
  ],
  state: { any: 'thing' },
  resumable: true,
};
