import type { IncomingMessage, ServerResponse } from 'node:http';
import { redirect, urlOf } from '../lib/http.ts';
import { escapeHtml } from '../lib/page.ts';
import { csrfField, type Account, type Browser, type Browsers } from './browsers.ts';
import type { Grants, OAuthClient } from './grants.ts';

export interface ScopeText {
  readonly title: string;
  readonly detail: string;
}

/** What the pages of a provider are made of. */
export interface PageOptions {
  readonly browsers: Browsers;
  readonly scopes: Readonly<Record<string, ScopeText>>;
  readonly grants: Grants;
}

interface Asked {
  readonly query: URLSearchParams;
  readonly client: OAuthClient;
  readonly redirectUri: string;
}

/** The provider's own page for its consent. It does not know the application's users. */
export class AuthorizePages {
  readonly #options: PageOptions;

  constructor(options: PageOptions) {
    this.#options = options;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const query = urlOf(request).searchParams;
    const client = this.#options.grants.client(query.get('client_id') ?? '');
    const redirectUri = query.get('redirect_uri') ?? client?.redirectUris[0] ?? '';
    if (client?.redirectUris.includes(redirectUri) !== true) {
      this.#options.browsers.show(
        response,
        400,
        'Not valid',
        '<h1>The application sent something that is not registered</h1><p>Its client id or redirect URI is not known here. Nothing was shared.</p>',
      );
      return;
    }
    if (request.method === 'POST') await this.#act(request, response, { query, client, redirectUri });
    else this.#ask(request, response, { query, client });
  }

  #ask(
    request: IncomingMessage,
    response: ServerResponse,
    { query, client }: Pick<Asked, 'query' | 'client'>,
  ): void {
    const { browsers } = this.#options;
    const browser = browsers.of(request);
    browsers.keep(response, browser);
    if (browser.account === undefined) browsers.show(response, 200, 'Sign in', browsers.signInForm(browser));
    else {
      const body = this.#consentForm(browser, client, browser.account, this.#known(query));
      browsers.show(response, 200, `Authorize ${client.name}`, body);
    }
  }

  async #act(request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> {
    const sent = await this.#options.browsers.read(request, response);
    if (sent === undefined) return;
    const allowed = sent.form.get('action') === 'authorize';
    redirect(response, this.#answer(allowed, sent.account.login, asked));
  }

  /** RFC 6749 §4.1.2: redirects back, with a code or with the refusal. */
  #answer(allowed: boolean, login: string, asked: Asked): string {
    const target = new URL(asked.redirectUri);
    const state = asked.query.get('state');
    if (state !== null) target.searchParams.set('state', state);
    if (!allowed) {
      target.searchParams.set('error', 'access_denied');
      target.searchParams.set('error_description', 'The user has denied your application access.');
      return target.href;
    }
    const codeChallenge = asked.query.get('code_challenge');
    const code = this.#options.grants.issueCode({
      clientId: asked.client.clientId,
      login,
      scopes: this.#known(asked.query),
      redirectUri: asked.redirectUri,
      ...(codeChallenge !== null && { codeChallenge }),
    });
    target.searchParams.set('code', code);
    return target.href;
  }

  #known(query: URLSearchParams): string[] {
    const asked = (query.get('scope') ?? '').split(/[ ,]+/);
    return asked.filter((scope) => scope in this.#options.scopes);
  }

  #consentForm(browser: Browser, client: OAuthClient, account: Account, scopes: readonly string[]): string {
    const rows = scopes.map((scope) => {
      const text = this.#options.scopes[scope];
      return `<li class="scope">${escapeHtml(text?.title ?? scope)}<small>${escapeHtml(text?.detail ?? '')} <code>${escapeHtml(scope)}</code></small></li>`;
    });
    const list = rows.length > 0 ? rows.join('') : '<li class="scope">Read public information about you</li>';
    return `<h1>${escapeHtml(client.name)} wants to act for ${escapeHtml(account.login)}</h1>
<p>If you authorize it, this application will be able to:</p><ul class="plain">${list}</ul>
<form method="post">${csrfField(browser)}
<div class="row"><button class="quiet" name="action" value="cancel">Cancel</button><button class="primary" name="action" value="authorize">Authorize</button></div>
<div class="row" style="grid-template-columns:1fr"><button class="quiet" name="action" value="switch">Use another account</button></div></form>`;
  }
}
