import { randomUUID } from 'node:crypto';
import type { Call } from '../agentcore-identity/agentcore-identity.ts';
import { AlbSigner } from '../load-balancer/signer.ts';
import { consentUpToBinding } from './consent.ts';
import { HttpBrowser } from './http-browser.ts';
import { invoke } from './invoke.ts';
import { ALB_ARN, ALB_CLIENT_ID } from './names.ts';

/** What an attack needs of the stack. */
export interface Attacked {
  readonly loadBalancer: { readonly url: string };
  readonly identityProvider: { readonly url: string };
  readonly agentCoreIdentity: {
    readonly vault: { grants(): unknown };
    readonly calls: readonly Call[];
  };
}

/** A flow that has been bound: its browser, and the address at which it came back, session URI and state included. */
export interface Bound {
  readonly browser: HttpBrowser;
  readonly username: string;
  readonly bindingUrl: string;
}

/** Hears what is played, and whether it came as it must. */
export interface Witness {
  step(letter: string, title: string, event: string): void;
  check(what: string, holds: boolean): void;
}

const WHO = 'Who am I on GitHub?';
const FORGED_FOR_S = 120;

/** Mallory starts a flow with her account, consents at GitHub, and makes a victim open the callback link. */
export async function swappedBrowser(stack: Attacked, witness: Witness): Promise<void> {
  const { url } = stack.loadBalancer;
  const [mallory, victim] = [new HttpBrowser(), new HttpBrowser()];
  await mallory.signIn(url, 'bob@example.com');
  await victim.signIn(url, 'carol@example.com');
  const connectUrl = await askedAnew(url, mallory);
  witness.step(
    'A',
    'Swapped browser',
    'the attacker gives the victim a link of their own flow, before and after the consent.',
  );
  const before = JSON.stringify(stack.agentCoreIdentity.vault.grants());
  const atConnect = await victim.navigate(connectUrl);
  witness.check(
    'the connect link is refused before the victim consents to anything',
    atConnect.status === 403 && atConnect.text.includes('another account'),
  );
  const back = await consentUpToBinding(mallory, connectUrl, 'bob-octo');
  const atBinding = await victim.navigate(back);
  witness.check(
    'the link that comes back is refused in another browser',
    atBinding.status === 403 && atBinding.text.includes('not started in this browser'),
  );
  witness.check(
    'the vault has not changed',
    before === JSON.stringify(stack.agentCoreIdentity.vault.grants()),
  );
}

/** The address of a flow that has ended is opened again, by its user and in another browser. */
export async function replayedSession(stack: Attacked, bound: Bound, witness: Witness): Promise<void> {
  const { browser, username, bindingUrl } = bound;
  witness.step('B', 'Replayed session URI', 'the address that has already bound a token is opened again.');
  const before = stack.agentCoreIdentity.calls.length;
  const again = await browser.navigate(bindingUrl);
  witness.check(
    'the same browser sees that the flow is complete; no service is called',
    again.text.includes('already connected') && stack.agentCoreIdentity.calls.length === before,
  );
  const other = new HttpBrowser();
  await other.signIn(stack.loadBalancer.url, username);
  const elsewhere = await other.navigate(bindingUrl);
  witness.check(
    'another browser of the same user is refused',
    elsewhere.status === 403 && stack.agentCoreIdentity.calls.length === before,
  );
}

/** @param send sends a request to a role, past the load balancer */
export async function forgedToken(
  stack: Attacked,
  send: (
    role: 'agent' | 'session-binding',
    path: string,
    headers: Record<string, string>,
  ) => Promise<Response>,
  witness: Witness,
): Promise<void> {
  witness.step(
    'C',
    'Forged load-balancer token',
    "a request goes directly to both roles, with a token that another load balancer's key has signed.",
  );
  const exp = Math.floor(Date.now() / 1000) + FORGED_FOR_S;
  const header = { iss: stack.identityProvider.url, client: ALB_CLIENT_ID, signer: ALB_ARN, exp };
  const forged = new AlbSigner().sign(header, { sub: 'alice', iss: stack.identityProvider.url, exp });
  const headers = { 'x-amzn-oidc-data': forged };
  const agent = await send('agent', '/sessions', headers);
  const binding = await send('session-binding', '/oauth2/connect?ticket=x', headers);
  witness.check('the agent role answers 401', agent.status === 401);
  witness.check('the session-binding role answers 401', binding.status === 401);
}

/** Goes through a whole flow, for the attacks that begin after one. */
export async function boundOnce(stack: Attacked, username: string, login: string): Promise<Bound> {
  const { url } = stack.loadBalancer;
  const browser = new HttpBrowser();
  await browser.signIn(url, username);
  const bindingUrl = await consentUpToBinding(browser, await askedAnew(url, browser), login);
  await browser.navigate(bindingUrl);
  return { browser, username, bindingUrl };
}

/** A connect link. The user may have connected GitHub before. */
async function askedAnew(url: string, browser: HttpBrowser): Promise<string> {
  await browser.request(`${url}/connections/github`, { method: 'DELETE' });
  const paused = await invoke(browser, url, { sessionId: randomUUID(), message: WHO });
  const link = paused.interrupts[0]?.metadata.connectUrl;
  if (link === undefined) throw new Error('The agent role did not ask for a consent. Do the roles run?');
  return link;
}
