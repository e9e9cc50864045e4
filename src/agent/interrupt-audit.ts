import type { Audit } from '../audit/index.js';
import type { PendingRun } from '../sessions/index.js';
import { declinedBy, isApproval, type PauseReason, type RunCalls } from './registry.tool.js';

/** What the user is asked for at an interrupt. */
export function recordAsked(
  audit: Audit,
  { user, sessionId, runId }: RunCalls,
  interruptId: string,
  reason: PauseReason,
): void {
  const { tool } = reason;
  const asked = { user: user.sub, sessionId, runId, interruptId, tool };
  if (reason.kind === 'approval_required') {
    audit.record('approval_asked', asked);
    return;
  }
  const { provider, scopes, authorization } = reason;
  const { awsRequestId } = authorization;
  audit.record('consent_asked', { ...asked, provider: provider.id, scopes: [...scopes], awsRequestId });
}

/** What the user has answered. A consent that is given shows at the provider, and is recorded where it is bound. */
export function recordAnswers(
  audit: Audit,
  { user, sessionId, runId, answers }: RunCalls,
  { interrupts }: PendingRun,
): void {
  for (const { id: interruptId, toolCallId, metadata } of interrupts) {
    const answer = answers.get(toolCallId);
    const declined = declinedBy(answer);
    const approved = isApproval(answer);
    const tool = typeof metadata.tool === 'string' ? metadata.tool : 'unknown';
    const given = { user: user.sub, sessionId, runId, interruptId, tool };
    if (declined === 'consent_declined') audit.record('consent_declined', given);
    if (declined === 'approval_declined' || approved)
      audit.record('approval_answered', { ...given, approved });
  }
}
