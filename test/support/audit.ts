import type { RoleProcess } from '../../local/lib/role-process.ts';
import type { AuditEventName } from '../../src/audit/audit-events.js';

export type AuditLine = Readonly<Record<string, unknown>> & { readonly event: AuditEventName };

/** The audit trail of a role so far. */
export function auditLines(role: RoleProcess): readonly AuditLine[] {
  return role
    .output()
    .split('\n')
    .filter((line) => line.includes('"stream":"audit"'))
    .map((line) => JSON.parse(line) as AuditLine);
}
