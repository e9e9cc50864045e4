import { Audit } from '../audit.js';
import type { AuditEventName } from '../audit-events.js';

export type RecordedLine = Readonly<Record<string, unknown>> & { readonly event: AuditEventName };

/** An audit trail whose lines a test can read. */
export function recordedAudit(): { readonly audit: Audit; readonly lines: RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line) as RecordedLine) };
  return { audit: new Audit({ role: 'agent', environment: 'test' }, destination), lines };
}
