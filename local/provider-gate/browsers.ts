import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cookiesOf, readForm, redirect, sendHtml } from '../lib/http.ts';
import { escapeHtml, page } from '../lib/page.ts';

export interface Account {
  readonly login: string;
  readonly name: string;
}

/** A browser at a provider's own pages. It may be signed in there as another person than at the application. */
export interface Browser {
  readonly id: string;
  /** The account that it is signed in as. */
  readonly account: Account | undefined;
  /** What the forms of its pages carry, so that no other site can send them. */
  readonly csrf: string;
}

interface Session {
  account?: Account;
  readonly csrf: string;
}

const COOKIE = 'provider_session';

/** The browsers at a provider's own pages, and their sign-in, which asks for no password. */
export class Browsers {
  readonly #brand: string;
  readonly #accounts: readonly Account[];
  readonly #sessions = new Map<string, Session>();

  constructor(brand: string, accounts: readonly Account[]) {
    [this.#brand, this.#accounts] = [brand, accounts];
  }

  /** The account that a browser is signed in as, if it is. */
  known(request: IncomingMessage): Account | undefined {
    return this.#sessions.get(idIn(request))?.account;
  }

  of(request: IncomingMessage): Browser {
    const known = idIn(request);
    const session = this.#sessions.get(known);
    if (session !== undefined) return { id: known, csrf: session.csrf, account: session.account };
    const id = randomBytes(16).toString('hex');
    const fresh = { csrf: randomBytes(16).toString('hex') };
    this.#sessions.set(id, fresh);
    return { id, csrf: fresh.csrf, account: undefined };
  }

  /** Makes the browser known by its next request. */
  keep(response: ServerResponse, { id }: Browser): void {
    const name = nameOf(response.req);
    response.setHeader('set-cookie', `${name}=${id}; Path=/; HttpOnly; SameSite=Lax`);
  }

  /**
   * Reads the form of a page. A form about the sign-in itself, and a form that another site has sent, are answered here.
   *
   * @returns the form and its account, if there is something left to do
   */
  async read(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{ readonly form: URLSearchParams; readonly account: Account } | undefined> {
    const browser = this.of(request);
    const form = await readForm(request);
    if (form.get('csrf') !== browser.csrf) {
      const body = '<h1>This form was not sent by this page</h1><p>Go back and try again.</p>';
      this.show(response, 403, 'Not accepted', body);
      return undefined;
    }
    const login = form.get('login');
    const isAboutSignIn = login !== null || form.get('action') === 'switch';
    if (isAboutSignIn) this.#sign(browser, login);
    else if (browser.account !== undefined) return { form, account: browser.account };
    redirect(response, request.url ?? '/');
    return undefined;
  }

  /** Answers with a page of the provider. */
  show(response: ServerResponse, status: number, title: string, body: string): void {
    sendHtml(response, status, page({ title, brand: this.#brand, body }));
  }

  /** Signs all browsers out. */
  reset(): void {
    this.#sessions.clear();
  }

  /** The form in which a browser chooses its account. */
  signInForm(browser: Browser): string {
    const accounts = this.#accounts.map(
      ({ login, name }) =>
        `<li><button name="login" value="${escapeHtml(login)}">${escapeHtml(name)}<small>${escapeHtml(login)}</small></button></li>`,
    );
    return `<h1>Sign in to ${escapeHtml(this.#brand)}</h1><p>Choose an account. No password is needed on this machine.</p>
<form method="post">${csrfField(browser)}<ul class="plain">${accounts.join('')}</ul></form>`;
  }

  #sign({ id }: Browser, login: string | null): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    const account = this.#accounts.find((each) => each.login === login);
    if (account === undefined) delete session.account;
    else session.account = account;
  }
}

function idIn(request: IncomingMessage): string {
  return cookiesOf(request).get(nameOf(request)) ?? '';
}

/** Cookies belong to a host and not to a port, and a browser may use the stacks of two folders. */
function nameOf({ socket }: IncomingMessage): string {
  return `${COOKIE}_${String(socket.localPort)}`;
}

export function csrfField({ csrf }: Browser): string {
  return `<input type="hidden" name="csrf" value="${csrf}">`;
}
