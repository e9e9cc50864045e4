import type { Audit } from '../../audit/index.js';
import { flowIdOf } from '../../identity/flow/index.js';
import type { RunContext } from '../../tools/index.js';
import { decisionOf, type AnsweredInterrupt, type WaitingOutcome } from './interrupt.js';

/** Records the question that an interrupt puts to its user. */
export function recordAsked(
  audit: Audit,
  context: RunContext,
  interruptId: string,
  outcome: WaitingOutcome,
): void {
  const { tool } = outcome;
  const asked = { ...fieldsOf(context), interruptId, tool };
  switch (outcome.kind) {
    case 'approval_required': {
      const { digest, inputBytes } = outcome;
      audit.record('approval_asked', { ...asked, digest, inputBytes });
      return;
    }
    case 'account_changed':
      audit.record('account_changed', {
        ...asked,
        provider: outcome.provider.id,
        accountId: outcome.now.id,
      });
      return;
    case 'authorization_required': {
      const { provider, scopes, authorization } = outcome;
      const { awsRequestId, sessionUri } = authorization;
      const flow = flowIdOf(sessionUri);
      audit.record('consent_asked', {
        ...asked,
        flow,
        provider: provider.id,
        scopes: [...scopes],
        awsRequestId,
      });
    }
  }
}

/** Records an answer. A consent that is given shows at the provider, and is recorded where it is bound. */
export function recordAnswer(audit: Audit, context: RunContext, answered: AnsweredInterrupt): void {
  const { stored } = answered;
  const decision = decisionOf(answered);
  const given = { ...fieldsOf(context), interruptId: stored.id, tool: stored.tool };
  switch (stored.kind) {
    case 'account_changed':
      audit.record('account_answered', {
        ...given,
        provider: stored.provider,
        switched: decision.kind === 'switched',
      });
      return;
    case 'approval_required': {
      const { digest, inputBytes } = stored;
      const approved = decision.kind === 'approved';
      if (decision.kind !== 'undecided')
        audit.record('approval_answered', {
          ...given,
          digest,
          inputBytes,
          approved,
          ...(decision.kind === 'approved' && decision.edited !== undefined && { edited: true }),
        });
      return;
    }
    case 'authorization_required':
      if (decision.kind === 'declined') audit.record('consent_declined', given);
  }
}

function fieldsOf({ user, sessionId, runId }: RunContext): {
  user: string;
  sessionId: string;
  runId: string;
} {
  return { user: user.sub, sessionId, runId };
}
