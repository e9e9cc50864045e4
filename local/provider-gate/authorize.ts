import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cookiesOf, readForm, redirect, sendHtml, urlOf } from '../lib/http.ts';
import { escapeHtml, page } from '../lib/page.ts';
import type { Grants, OAuthClient } from './grants.ts';

export interface Account {
  readonly login: string;
  readonly name: string;
}

export interface ScopeText {
  readonly title: string;
  readonly detail: string;
}

export interface AuthorizeOptions {
  readonly brand: string;
  readonly accounts: readonly Account[];
  readonly scopes: Readonly<Record<string, ScopeText>>;
  readonly grants: Grants;
}

interface Browser {
  login?: string;
  readonly csrf: string;
}

const COOKIE = 'provider_session';

/**
 * The provider's own pages for its sign-in and its consent. They do not know the application's users: the same browser may be
 * signed in here as another person.
 */
export class AuthorizePages {
  readonly #options: AuthorizeOptions;
  readonly #browsers = new Map<string, Browser>();

  constructor(options: AuthorizeOptions) {
    this.#options = options;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const query = urlOf(request).searchParams;
    const client = this.#options.grants.client(query.get('client_id') ?? '');
    const redirectUri = query.get('redirect_uri') ?? client?.redirectUris[0] ?? '';
    if (client?.redirectUris.includes(redirectUri) !== true) {
      this.#show(
        response,
        400,
        'Not valid',
        '<h1>The application sent something that is not registered</h1><p>Its client id or redirect URI is not known here. Nothing was shared.</p>',
      );
      return;
    }
    const [id, browser] = this.#browserOf(request);
    if (request.method === 'POST')
      await this.#act(request, response, { query, client, redirectUri, browser });
    else this.#ask(request, response, { query, client, id, browser });
  }

  /** Signs all browsers out at this provider. */
  reset(): void {
    this.#browsers.clear();
  }

  #browserOf(request: IncomingMessage): readonly [string, Browser] {
    const known = cookiesOf(request).get(COOKIE) ?? '';
    const browser = this.#browsers.get(known);
    if (browser !== undefined) return [known, browser];
    const id = randomBytes(16).toString('hex');
    const fresh: Browser = { csrf: randomBytes(16).toString('hex') };
    this.#browsers.set(id, fresh);
    return [id, fresh];
  }

  #ask(
    request: IncomingMessage,
    response: ServerResponse,
    asked: { query: URLSearchParams; client: OAuthClient; id: string; browser: Browser },
  ): void {
    const action = escapeHtml(request.url ?? '');
    response.setHeader('set-cookie', `${COOKIE}=${asked.id}; Path=/; HttpOnly; SameSite=Lax`);
    const account = this.#options.accounts.find((each) => each.login === asked.browser.login);
    const body =
      account === undefined
        ? this.#signInForm(action, asked.browser)
        : this.#consentForm(action, asked.browser, asked.client, account, this.#known(asked.query));
    this.#show(response, 200, account === undefined ? 'Sign in' : `Authorize ${asked.client.name}`, body);
  }

  async #act(
    request: IncomingMessage,
    response: ServerResponse,
    asked: { query: URLSearchParams; client: OAuthClient; redirectUri: string; browser: Browser },
  ): Promise<void> {
    const form = await readForm(request);
    if (form.get('csrf') !== asked.browser.csrf) {
      this.#show(
        response,
        403,
        'Not accepted',
        '<h1>This form was not sent by this page</h1><p>Go back and try again.</p>',
      );
      return;
    }
    const login = form.get('login');
    if (login !== null || form.get('action') === 'switch') {
      if (login !== null && this.#options.accounts.some((each) => each.login === login))
        asked.browser.login = login;
      else delete asked.browser.login;
      redirect(response, request.url ?? '/');
      return;
    }
    if (asked.browser.login === undefined) {
      redirect(response, request.url ?? '/');
      return;
    }
    redirect(response, this.#answer(form.get('action') === 'authorize', asked.browser.login, asked));
  }

  /** RFC 6749 §4.1.2: redirects back, with a code or with the refusal. */
  #answer(
    allowed: boolean,
    login: string,
    asked: { query: URLSearchParams; client: OAuthClient; redirectUri: string },
  ): string {
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

  #signInForm(action: string, browser: Browser): string {
    const accounts = this.#options.accounts.map(
      ({ login, name }) =>
        `<li><button name="login" value="${escapeHtml(login)}">${escapeHtml(name)}<small>${escapeHtml(login)}</small></button></li>`,
    );
    return `<h1>Sign in to ${escapeHtml(this.#options.brand)}</h1><p>Choose an account. No password is needed on this machine.</p>
<form method="post" action="${action}"><input type="hidden" name="csrf" value="${browser.csrf}"><ul class="plain">${accounts.join('')}</ul></form>`;
  }

  #consentForm(
    action: string,
    browser: Browser,
    client: OAuthClient,
    account: Account,
    scopes: readonly string[],
  ): string {
    const rows = scopes.map((scope) => {
      const text = this.#options.scopes[scope];
      return `<li class="scope">${escapeHtml(text?.title ?? scope)}<small>${escapeHtml(text?.detail ?? '')} <code>${escapeHtml(scope)}</code></small></li>`;
    });
    const list = rows.length > 0 ? rows.join('') : '<li class="scope">Read public information about you</li>';
    return `<h1>${escapeHtml(client.name)} wants to act for ${escapeHtml(account.login)}</h1>
<p>If you authorize it, this application will be able to:</p><ul class="plain">${list}</ul>
<form method="post" action="${action}"><input type="hidden" name="csrf" value="${browser.csrf}">
<div class="row"><button class="quiet" name="action" value="cancel">Cancel</button><button class="primary" name="action" value="authorize">Authorize</button></div>
<div class="row" style="grid-template-columns:1fr"><button class="quiet" name="action" value="switch">Use another account</button></div></form>`;
  }

  #show(response: ServerResponse, status: number, title: string, body: string): void {
    sendHtml(response, status, page({ title, brand: this.#options.brand, body }));
  }
}
