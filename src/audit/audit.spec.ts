import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { runInContext } from '../common/context/index.js';
import { AUDIT_ENVELOPE, AUDIT_EVENTS } from './audit-events.js';
import { recordedAudit } from './testing/recorded-audit.js';

const SIGNED_IN = { user: 'alice' };

describe('the audit trail', () => {
  it('has one line for each decision, in its own stream, with the request of the decision', () => {
    const { audit, lines } = recordedAudit();
    runInContext({ requestId: 'r' }, () => {
      audit.record('signed_in', SIGNED_IN);
    });
    audit.record('sign_in_refused', { code: 'unauthenticated', reason: 'token_missing' });
    expect(lines).toMatchObject([
      {
        stream: 'audit',
        role: 'agent',
        environment: 'test',
        event: 'signed_in',
        requestId: 'r',
        user: 'alice',
      },
      { event: 'sign_in_refused', requestId: 'none' },
    ]);
    for (const line of lines) {
      const envelope = AUDIT_ENVELOPE.parse(line);
      const fields = Object.entries(line).filter(([name]) => !(name in envelope));
      expect(AUDIT_EVENTS[line.event].safeParse(Object.fromEntries(fields)).success).toBe(true);
    }
  });

  it('matches docs/audit.md: every event with its fields, and every field of the envelope', () => {
    const text = readFileSync('docs/audit.md', 'utf8');
    const names = (cell: string): string[] =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name).sort();
    const rows = [...text.matchAll(/^\| `([a-z_]+)` \| [^|]+ \| ([^|]+) \|$/gm)];
    const documented = Object.fromEntries(
      rows.map(([, event = '', cell = '']) => [event, names(cell)] as const),
    );
    const fields = Object.entries(AUDIT_EVENTS).map(
      ([event, { shape }]) => [event, Object.keys(shape).sort()] as const,
    );
    expect(documented).toEqual(Object.fromEntries(fields));
    for (const name of Object.keys(AUDIT_ENVELOPE.shape)) expect(text).toContain(`| \`${name}\` |`);
  });
});
