import { formTargetFor, html, renderPage, type Html, type RenderedPage } from '../common/http/index.js';
import type { FlowTicket } from '../identity/flow/index.js';
import type { User } from '../identity/sign-in/index.js';
import type { FlowResult } from './flow-results.js';

type Result = Exclude<FlowResult, { kind: 'refused' }>;

/** To the conversation that waits, where it is known. */
function wayBack({ waiting }: Result): Html {
  const address =
    waiting === undefined ? '/' : `/?${new URLSearchParams({ c: waiting.sessionId }).toString()}`;
  return html`<p><a href="${address}">Return to the assistant</a></p>`;
}

/**
 * The page before consent: the user, the tool, the scopes and one button. The button has no focus, so that an accidental
 * Enter does not press it.
 */
export function connectPage(ticket: FlowTicket, sealed: string, user: User): RenderedPage {
  const { provider, tool, account } = ticket.display;
  const scopes = ticket.display.scopes.map(
    ({ allows, why }) =>
      html`<li>${allows}${why === undefined ? html`` : html`<br><span class="soft">${why}</span>`}</li>`,
  );
  const person = user.displayName === undefined ? html`` : html`<dt>For</dt><dd>${user.displayName}</dd>`;
  const before =
    account === undefined ? html`` : html`<dt>Account</dt><dd>${account}, which you connected before</dd>`;
  const body = html`<h1>Connect ${provider}?</h1>
<p>You asked the assistant for something that needs your ${provider} account.</p>
<dl>${person}${before}<dt>To do</dt><dd>${tool}</dd><dt>It may</dt><dd><ul>${scopes}</ul></dd></dl>
<form method="post" action="/oauth2/connect"><input type="hidden" name="ticket" value="${sealed}">
<button>Continue to ${provider}</button></form>
<p class="soft">${provider} will ask you to confirm. If you did not ask for this, close the page: nothing is shared.</p>`;
  return renderPage({
    title: `Connect ${provider}`,
    tone: 'neutral',
    body,
    user,
    formTarget: formTargetFor(ticket.authorizationUrl),
  });
}

/** The page at the end. It tells the waiting page of the same origin the result of its interrupt. */
export function resultPage(result: Result, user: User): RenderedPage {
  const { title, tone, body } = PAGES[result.kind](result, wayBack(result));
  const { waiting, kind } = result;
  if (waiting === undefined) return renderPage({ title, tone, body, user });
  const type = kind === 'denied' ? 'authorization_denied' : 'authorization_complete';
  const message = scriptLiteral({ type, ...waiting });
  const script = `new BroadcastChannel('onbehalf').postMessage(${message});`;
  return renderPage({ title, tone, body, user, script });
}

interface Words {
  readonly title: string;
  readonly tone: 'neutral' | 'good';
  readonly body: Html;
}

const PAGES: Readonly<Record<Result['kind'], (result: Result, back: Html) => Words>> = {
  done: ({ provider, account }, back) => ({
    title: 'Connected',
    tone: 'good',
    body: html`<h1>${provider} is connected</h1>
<p role="status">The assistant can go on with what you asked. You can close this page and return to the conversation.</p>
${sameAccount(account)}<p class="soft">You can revoke this at any time in the settings of ${provider}.</p>${back}`,
  }),
  already_done: ({ provider }, back) => ({
    title: 'Already connected',
    tone: 'good',
    body: html`<h1>${provider} is already connected</h1>
<p>This authorization was completed before, and nothing was changed now. Return to the conversation to go on.</p>${back}`,
  }),
  denied: (_, back) => ({
    title: 'Not connected',
    tone: 'neutral',
    body: html`<h1>You did not authorize access</h1>
<p role="status">Nothing was shared with the assistant. If you change your mind, return to the conversation and ask again.</p>${back}`,
  }),
  in_progress: ({ provider }, back) => ({
    title: 'Almost connected',
    tone: 'neutral',
    body: html`<h1>${provider} is being connected</h1>
<p>Your consent has arrived. If the page that you came back to shows an error, reload it; or return to the conversation and ask again.</p>${back}`,
  }),
};

function sameAccount(account: string | undefined): Html {
  if (account === undefined) return html``;
  return html`<p>Before, you had connected the account <strong>${account}</strong>. If this is another one, the assistant asks you before it goes on.</p>`;
}

/** JSON that is safe inside a script element. */
function scriptLiteral(value: object): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
