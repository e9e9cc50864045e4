import { html, renderPage, type RenderedPage } from '../common/http/index.js';
import type { FlowTicket } from '../identity/index.js';
import type { Flow } from './flow-cookies.js';

/** Before consent: who asks for what, and one button. It is not focused: a stray Enter must not press it. */
export function connectPage(
  ticket: FlowTicket,
  sealed: string,
  displayName: string | undefined,
): RenderedPage {
  const { provider, tool } = ticket.words;
  const scopes = ticket.words.scopes.map((scope) => html`<li>${scope}</li>`);
  const account = displayName === undefined ? html`` : html`<dt>For</dt><dd>${displayName}</dd>`;
  const body = html`<h1>Connect ${provider}?</h1>
<p>You asked the assistant for something that needs your ${provider} account.</p>
<dl>${account}<dt>To do</dt><dd>${tool}</dd><dt>It may</dt><dd><ul>${scopes}</ul></dd></dl>
<form method="post" action="/oauth2/connect"><input type="hidden" name="ticket" value="${sealed}">
<button>Continue to ${provider}</button></form>
<p class="soft">${provider} will ask you to confirm. If you did not ask for this, close the page: nothing is shared.</p>`;
  return renderPage({
    title: `Connect ${provider}`,
    tone: 'neutral',
    body,
    formTarget: formTarget(ticket.authorizationUrl),
  });
}

/** After consent. Tells the waiting page of the same origin which interrupt may be resumed. */
export function donePage({ providerLabel, consent }: Pick<Flow, 'providerLabel' | 'consent'>): RenderedPage {
  const body = html`<h1>${providerLabel} is connected</h1>
<p role="status">The assistant can go on with what you asked. You can close this page and return to the conversation.</p>
<p class="soft">You can revoke this at any time in the settings of ${providerLabel}.</p>`;
  const { sessionId, interruptId } = consent;
  const message = scriptLiteral({ type: 'authorization_complete', sessionId, interruptId });
  const script = `new BroadcastChannel('onbehalf').postMessage(${message});`;
  return renderPage({ title: 'Connected', tone: 'good', body, script });
}

/** Already complete: a replay in the browser that completed it. */
export function alreadyDonePage({ providerLabel }: Pick<Flow, 'providerLabel'>): RenderedPage {
  const body = html`<h1>${providerLabel} is already connected</h1>
<p>This authorization was completed before; nothing was changed now. You can close this page and return to the conversation.</p>`;
  return renderPage({ title: 'Already connected', tone: 'good', body });
}

/**
 * Browsers apply `form-action` to the redirects that follow a form as well: to AgentCore Identity, and from there to a
 * provider that is not known here. Unencrypted addresses are those of this machine.
 */
function formTarget(authorizationUrl: string): string {
  const local =
    new URL(authorizationUrl).protocol === 'http:' ? ' http://localhost:* http://127.0.0.1:*' : '';
  return `'self' https:${local}`;
}

/** JSON that is safe inside a script element. */
function scriptLiteral(value: object): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
