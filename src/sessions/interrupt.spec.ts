import { describe, expect, it } from '@jest/globals';
import { interruptView, type InterruptView, type StoredInterrupt } from './interrupt.js';
import { consentInterrupt } from './testing/messages.js';

const consent = consentInterrupt(1, 'a');
const { provider, scopes, ...rest } = consent;
const approval: StoredInterrupt = {
  ...rest,
  kind: 'approval_required',
  input: { to: 'all' },
  digest: 'SECRET',
  inputBytes: 12,
};
const accountChange: StoredInterrupt = {
  ...rest,
  kind: 'account_changed',
  provider,
  before: 'alice-octo',
  now: { id: 'SECRET', login: 'bob-octo' },
  approved: 'SECRET',
};
const about = { tool: 'read_it', title: 'Read it' };

describe('interruptView', () => {
  it.each<[string, StoredInterrupt, InterruptView['metadata']]>([
    ['a consent', { ...consent, approved: 'SECRET' }, { ...about, provider, scopes }],
    ['an approval', approval, { ...about, input: { to: 'all' } }],
    [
      'an approval as an account',
      { ...approval, account: 'alice-octo' },
      { ...about, input: { to: 'all' }, account: 'alice-octo' },
    ],
    ['a change of accounts', accountChange, { ...about, provider, before: 'alice-octo', now: 'bob-octo' }],
  ])('shows %s, and nothing that decides', (_name, interrupt, metadata) => {
    const view = interruptView(interrupt);
    expect(view).toStrictEqual({ id: 'interrupt-1', reason: interrupt.kind, toolCallId: 'a', metadata });
    expect(JSON.stringify(view)).not.toContain('SECRET');
  });
});
