import type { Interrupt } from '@ag-ui/core';
import { interruptView } from '../../sessions/index.js';
import type { PresentedInterrupt } from '../interrupts/index.js';

/** An interrupt as AG-UI's `RUN_FINISHED` carries it. */
export function agUiInterrupt({ stored, message, decidedBy, link }: PresentedInterrupt): Interrupt {
  const { metadata, ...view } = interruptView(stored);
  return {
    ...view,
    message,
    ...(decidedBy !== undefined && { responseSchema: answerSchema(decidedBy) }),
    ...(link !== undefined && { expiresAt: new Date(link.expiresAt).toISOString() }),
    metadata: { ...metadata, ...(link !== undefined && { connectUrl: link.url }) },
  };
}

function answerSchema(member: 'approved' | 'switch'): Record<string, unknown> {
  return { type: 'object', properties: { [member]: { type: 'boolean' } }, required: [member] };
}
