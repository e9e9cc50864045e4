import type { StoredMessage } from '../content.js';
import type { PendingRun } from '../conversation.js';
import type { StoredInterrupt } from '../interrupt.js';

export const user = (text: string): StoredMessage => ({ role: 'user', content: [{ text }] });
export const assistant = (text: string): StoredMessage => ({ role: 'assistant', content: [{ text }] });

/** A consent that the call `toolCallId` waits for. */
export function consentInterrupt(
  number: number,
  toolCallId: string,
): Extract<StoredInterrupt, { kind: 'authorization_required' }> {
  return {
    id: `interrupt-${String(number)}`,
    kind: 'authorization_required',
    toolCallId,
    tool: 'read_it',
    title: 'Read it',
    provider: 'github',
    scopes: ['repo'],
    pauses: 1,
    reauthenticated: false,
    loopId: `loop-${String(number)}`,
  };
}

/** A run that two interrupts have paused. */
export const pending: PendingRun = {
  interrupts: [consentInterrupt(1, 'a'), consentInterrupt(2, 'b')],
  snapshot: { any: 'thing' },
  resumable: true,
};
