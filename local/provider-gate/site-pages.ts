import type { IncomingMessage, ServerResponse } from 'node:http';
import { redirect, urlOf } from '../lib/http.ts';
import { escapeHtml } from '../lib/page.ts';
import type { PageOptions } from './authorize.ts';
import { csrfField, type Account, type Browser } from './browsers.ts';
import type { GatedApi } from './gated-api.ts';

export interface SiteOptions extends PageOptions {
  readonly brand: string;
  readonly api: Pick<GatedApi, 'subjectOf'>;
  /** The path of the page on which a user revokes what applications may do. */
  readonly settingsPath: string;
}

/**
 * The pages of a provider's site that links lead to: the settings where a user revokes an application's access, and a page
 * for each thing that the API gives a link to, which says what it stands for.
 */
export class SitePages {
  readonly #options: SiteOptions;

  constructor(options: SiteOptions) {
    this.#options = options;
  }

  /** Answers a request of a browser. False where the site has no such page. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { pathname } = urlOf(request);
    const { browsers, settingsPath } = this.#options;
    if (pathname === settingsPath) {
      const browser = browsers.of(request);
      browsers.keep(response, browser);
      if (request.method === 'POST') await this.#revoke(request, response);
      else this.#showSettings(response, browser);
      return true;
    }
    return request.method === 'GET' && (await this.#showSubject(pathname, response, browsers.known(request)));
  }

  #showSettings(response: ServerResponse, browser: Browser): void {
    const { account } = browser;
    const body =
      account === undefined
        ? this.#options.browsers.signInForm(browser)
        : this.#applications(browser, account);
    this.#options.browsers.show(response, 200, 'Authorized applications', body);
  }

  #applications(browser: Browser, { login }: Account): string {
    const rows = this.#options.grants.applicationsOf(login).map(({ client, scopes }) => {
      const allowed = scopes.map((scope) => this.#options.scopes[scope]?.title ?? scope);
      return `<li class="scope"><strong>${escapeHtml(client.name)}</strong><small>${escapeHtml(allowed.join('. ') || 'Public information')}</small>
<form method="post">${csrfField(browser)}<button class="quiet" name="revoke" value="${escapeHtml(client.clientId)}">Revoke the access of ${escapeHtml(client.name)}</button></form></li>`;
    });
    const list =
      rows.length === 0
        ? '<p>No application may act for you.</p>'
        : `<p>Revoking ends every token that the application has for you.</p><ul class="plain">${rows.join('')}</ul>`;
    return `<h1>Applications that may act for ${escapeHtml(login)}</h1>${list}
<form method="post">${csrfField(browser)}<button class="quiet" name="action" value="switch">Use another account</button></form>`;
  }

  async #revoke(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { browsers, grants, settingsPath } = this.#options;
    const sent = await browsers.read(request, response);
    if (sent === undefined) return;
    const clientId = sent.form.get('revoke');
    if (clientId !== null) grants.revokeUser(sent.account.login, clientId);
    redirect(response, settingsPath);
  }

  async #showSubject(pathname: string, response: ServerResponse, account?: Account): Promise<boolean> {
    const { api, brand, settingsPath } = this.#options;
    const subject = await api.subjectOf?.(pathname, account?.login);
    if (subject === undefined) return false;
    const { kind, title, text } = subject;
    const told = text.split('\n').map((line) => `<p>${escapeHtml(line)}</p>`);
    const body = `<h1>${escapeHtml(title)}</h1>${told.join('')}
<p>This page stands for ${escapeHtml(kind)} at ${escapeHtml(brand)}.</p><p><a href="${settingsPath}">Applications that may act for you</a></p>`;
    this.#options.browsers.show(response, 200, title, body);
    return true;
  }
}
