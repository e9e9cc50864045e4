import { HttpBrowser } from '../lib/http-browser.ts';
import { invoke } from '../lib/invoke.ts';
import { AlbSigner } from '../load-balancer/signer.ts';
import { ALB_ARN, ALB_CLIENT_ID, type LocalStack } from '../stack.ts';
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
  played: Played,
  report: Report,
): Promise<void> {
  report.heading('Attacks that must fail');
  await swappedBrowser(stack, report);
  await replay(stack, played, report);
  await forgedToken(stack, roles, report);
}

/** Mallory starts a flow with her account, consents at GitHub, and makes Alice open the callback link. */
async function swappedBrowser(stack: LocalStack, report: Report): Promise<void> {
  const { url } = stack.loadBalancer;
  const [mallory, victim] = [new HttpBrowser(), new HttpBrowser()];
  await mallory.signIn(url, 'bob@example.com');
  await victim.signIn(url, 'carol@example.com');
  const paused = await invoke(mallory, url, { sessionId: 'attack', message: 'Who am I on GitHub?' });
  const connectUrl = paused.interrupts[0]?.metadata.connectUrl ?? '';
  report.step(
    'A',
    'Swapped browser',
    'the attacker gives the victim a link of their own flow, before and after the consent.',
  );
  const before = stack.agentCoreIdentity.vault.grants();
  const atConnect = await victim.navigate(connectUrl);
  report.check(
    'the connect link is refused before the victim consents to anything',
    atConnect.status === 403 && atConnect.text.includes('another account'),
  );
  const gate = await mallory.submitAndFollow(await mallory.navigate(connectUrl));
  const consent = await mallory.submitAndFollow(gate, { login: 'bob-octo' });
  const back = await mallory.submitAndFollow(consent, { action: 'authorize' }, (next) =>
    next.includes('/oauth2/session-binding'),
  );
  const atBinding = await victim.navigate(back.url);
  report.check(
    'the link that comes back is refused in another browser',
    atBinding.status === 403 && atBinding.text.includes('not started in this browser'),
  );
  report.check(
    'the vault has not changed',
    JSON.stringify(before) === JSON.stringify(stack.agentCoreIdentity.vault.grants()),
  );
}

async function replay(stack: LocalStack, { alice, bindingUrl }: Played, report: Report): Promise<void> {
  report.step('B', 'Replayed session URI', 'the address that has already bound a token is opened again.');
  const before = stack.agentCoreIdentity.calls.length;
  const again = await alice.navigate(bindingUrl);
  report.check(
    'the same browser sees that the flow is complete; no service is called',
    again.text.includes('already connected') && stack.agentCoreIdentity.calls.length === before,
  );
  const other = new HttpBrowser();
  await other.signIn(stack.loadBalancer.url, 'alice@example.com');
  const elsewhere = await other.navigate(bindingUrl);
  report.check(
    'another browser of the same user is refused',
    elsewhere.status === 403 && stack.agentCoreIdentity.calls.length === before,
  );
}

async function forgedToken(stack: LocalStack, roles: Targets, report: Report): Promise<void> {
  report.step(
    'C',
    'Forged load-balancer token',
    "a request goes directly to both roles, with a token that another load balancer's key has signed.",
  );
  const exp = Math.floor(Date.now() / 1000) + 120;
  const header = { iss: stack.identityProvider.url, client: ALB_CLIENT_ID, signer: ALB_ARN, exp };
  const forged = new AlbSigner().sign(header, { sub: 'alice', iss: stack.identityProvider.url, exp });
  const headers = { 'x-amzn-oidc-data': forged };
  const agent = await fetch(`${roles.agent.url}/sessions`, { headers });
  const binding = await fetch(`${roles.sessionBinding.url}/oauth2/connect?ticket=x`, { headers });
  report.check('the agent role answers 401', agent.status === 401);
  report.check('the session-binding role answers 401', binding.status === 401);
}
