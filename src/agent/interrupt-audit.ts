import type { Audit } from '../audit/index.js';
import { flowIdOf } from '../identity/flow/index.js';
import type { PendingRun } from '../sessions/index.js';
import { declinedBy, isApproval, isSwitch, type PauseReason, type RunCalls } from './registry.tool.js';

/** What the user is asked for at an interrupt. */
export function recordAsked(
  audit: Audit,
  { user, sessionId, runId }: RunCalls,
  interruptId: string,
  reason: PauseReason,
): void {
  const { tool } = reason;
  const asked = { user: user.sub, sessionId, runId, interruptId, tool };
  switch (reason.kind) {
    case 'approval_required': {
      const { digest, inputBytes } = reason;
      audit.record('approval_asked', { ...asked, digest, inputBytes });
      return;
    }
    case 'account_changed':
      audit.record('account_changed', { ...asked, provider: reason.provider.id, accountId: reason.now.id });
      return;
    case 'authorization_required': {
      const { provider, scopes, authorization } = reason;
      const { awsRequestId, sessionUri } = authorization;
      const what = { flow: flowIdOf(sessionUri), provider: provider.id, scopes: [...scopes], awsRequestId };
      audit.record('consent_asked', { ...asked, ...what });
    }
  }
}

/** What the user has answered. A consent that is given shows at the provider, and is recorded where it is bound. */
export function recordAnswers(
  audit: Audit,
  { user, sessionId, runId, answers, paused }: RunCalls,
  { interrupts }: PendingRun,
): void {
  for (const { id: interruptId, reason, toolCallId, metadata } of interrupts) {
    const answer = answers.get(toolCallId);
    if (answer === undefined) continue;
    const tool = textOf(metadata.tool);
    const given = { user: user.sub, sessionId, runId, interruptId, tool };
    if (reason === 'account_changed') {
      const provider = textOf(metadata.provider);
      audit.record('account_answered', { ...given, provider, switched: isSwitch(answer) });
    } else if (reason === 'approval_required') {
      const asked = paused.get(toolCallId)?.asked ?? { digest: 'unknown', inputBytes: 0 };
      const approved = isApproval(answer);
      if (approved || declinedBy(answer) !== undefined)
        audit.record('approval_answered', { ...given, ...asked, approved });
    } else if (declinedBy(answer) !== undefined) audit.record('consent_declined', given);
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown';
}
