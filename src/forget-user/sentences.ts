import { totalOf, type Counts, type Outcome } from './forget-user.js';

const NOT_DELETED = `This command does not reach:
- the user's tokens in the vault of AgentCore Identity, which has no operation for it: revoke them at the provider
- flows of the last day, under flows/: the bucket's rules delete them
- the audit trail and the logs: they are kept for as long as the deployment says
`;

/** Whether the operator got what was asked for. */
export function isDone(outcome: Outcome): boolean {
  return outcome.kind === 'counted' || (outcome.kind === 'deleted' && totalOf(outcome.left) === 0);
}

/** What the operator is told. */
export function sentencesOf(outcome: Outcome): string {
  const found = `Found ${inWords(outcome.found)}.`;
  switch (outcome.kind) {
    case 'counted':
      return `${found} Nothing was deleted. To delete it, add --yes.\n`;
    case 'busy':
      return `${found} Nothing was deleted, because a turn is in progress in: ${outcome.conversations.join(', ')}. Wait for its end, or add --force.\n`;
    case 'deleted': {
      const left = totalOf(outcome.left);
      const proof = `Listed again: ${inWords(outcome.left)} left.`;
      const more = left === 0 ? '' : ' Something was written meanwhile: run this command again.';
      return `${found} Deleted ${left === 0 ? 'all of it' : 'what was found'}. ${proof}${more}\n\n${NOT_DELETED}`;
    }
  }
}

function inWords(counts: Counts): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${String(count)} ${kind}${count === 1 ? '' : 's'}`)
    .join(', ');
}
