import { InterruptSchema } from '@ag-ui/core/schemas';
import { describe, expect, it } from '@jest/globals';
import type { PresentedInterrupt } from '../interrupts/index.js';
import { agUiInterrupt } from './ag-ui-interrupt.js';

const consent: PresentedInterrupt = {
  stored: {
    id: 'interrupt-1',
    kind: 'authorization_required',
    toolCallId: 'a',
    tool: 'read',
    title: 'Read',
    provider: 'parrot',
    scopes: ['speak'],
    pauses: 1,
    reauthenticated: true,
    loopId: 'loop',
    approved: 'DIGEST',
  },
  message: 'Parrot has to be connected.',
  link: { url: 'https://onbehalf.example/connect?ticket=x', expiresAt: Date.UTC(2026, 0, 2) },
};
const { link: _link, ...withoutLink } = consent;

describe('an interrupt for AG-UI', () => {
  it('has the words for the user, the reason and the call', () => {
    expect(agUiInterrupt(withoutLink)).toEqual({
      id: 'interrupt-1',
      reason: 'authorization_required',
      toolCallId: 'a',
      message: 'Parrot has to be connected.',
      metadata: { provider: 'parrot', scopes: ['speak'], tool: 'read', title: 'Read' },
    });
  });

  it('has the link, and the time until which it is good', () => {
    expect(agUiInterrupt(consent)).toEqual({
      ...agUiInterrupt(withoutLink),
      expiresAt: '2026-01-02T00:00:00.000Z',
      metadata: {
        ...agUiInterrupt(withoutLink).metadata,
        connectUrl: 'https://onbehalf.example/connect?ticket=x',
      },
    });
  });

  it.each(['approved', 'switch'] as const)('says that the answer has to say whether %s', (decidedBy) => {
    expect(agUiInterrupt({ ...withoutLink, decidedBy }).responseSchema).toEqual({
      type: 'object',
      properties: { [decidedBy]: { type: 'boolean' } },
      required: [decidedBy],
    });
  });

  it.each<[string, PresentedInterrupt]>([
    ['with a link', consent],
    ['without a link', withoutLink],
    ['with a form for the answer', { ...consent, decidedBy: 'approved' }],
  ])('is as AG-UI has it %s', (_name, presented) => {
    const interrupt = agUiInterrupt(presented);
    expect(InterruptSchema.parse(interrupt)).toEqual(interrupt);
  });
});
