import { forgedToken, replayedSession, swappedBrowser } from '../lib/attacks.ts';
import type { LocalStack } from '../stack.ts';
import type { Played } from './flow.ts';
import type { Report } from './report.ts';

/** The addresses of the two roles behind the load balancer. */
export interface Targets {
  readonly agent: { readonly url: string };
  readonly sessionBinding: { readonly url: string };
}

/** Plays three attacks. Each must be refused and must leave the vault unchanged. */
export async function playAttacks(
  stack: LocalStack,
  roles: Targets,
  { alice, bindingUrl }: Played,
  report: Report,
): Promise<void> {
  report.heading('Attacks that must fail');
  await swappedBrowser(stack, report);
  await replayedSession(stack, { browser: alice, username: 'alice@example.com', bindingUrl }, report);
  const bases = { agent: roles.agent.url, 'session-binding': roles.sessionBinding.url };
  await forgedToken(stack, (role, path, headers) => fetch(bases[role] + path, { headers }), report);
}
