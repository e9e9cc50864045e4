import { CookieJar } from 'tough-cookie';

export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface BrowserRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Closes the connection when it aborts. */
  readonly signal?: AbortSignal;
}

const MAXIMUM_REDIRECTS = 20;

/**
 * Simulates the parts of a browser that the flow needs: cookies, redirects and forms. It renders no pages and runs no
 * scripts.
 */
export class HttpBrowser {
  readonly jar = new CookieJar();

  /** Sends one request. Redirects are not followed. */
  async request(
    url: string,
    { method = 'GET', headers = {}, body, signal }: BrowserRequest = {},
  ): Promise<Answer> {
    const cookie = await this.jar.getCookieString(url);
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { ...(cookie !== '' && { cookie }), ...headers },
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    });
    for (const set of response.headers.getSetCookie()) {
      await this.jar.setCookie(set, url, { ignoreError: true });
    }
    return { url, status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Navigates to the page at the end of the redirects, or to the first address that `until` accepts. */
  async navigate(url: string, until: (url: string) => boolean = () => false): Promise<Answer> {
    let answer = await this.request(url, { headers: { accept: 'text/html' } });
    for (let count = 0; count < MAXIMUM_REDIRECTS; count += 1) {
      const location = answer.headers.get('location');
      if (location === null) return answer;
      const next = new URL(location, answer.url).href;
      if (until(next)) return { ...answer, url: next };
      answer = await this.request(next, { headers: { accept: 'text/html' } });
    }
    throw new Error(`more than ${String(MAXIMUM_REDIRECTS)} redirects`);
  }

  /** Submits the form of a page: its hidden fields and the pressed button. Redirects are not followed. */
  async submit(page: Answer, button: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const action = attribute(/<form[^>]*>/.exec(page.text)?.[0] ?? '', 'action');
    const fields = [...page.text.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(
      ([tag]) => [attribute(tag, 'name'), attribute(tag, 'value')] as const,
    );
    return this.request(new URL(action === '' ? page.url : action, page.url).href, {
      method: 'POST',
      headers: {
        accept: 'text/html',
        'content-type': 'application/x-www-form-urlencoded',
        origin: new URL(page.url).origin,
      },
      body: new URLSearchParams(
        [...fields, ...Object.entries(button)].map(([name, value]) => [name, value]),
      ).toString(),
    });
  }

  /** Submits a form and follows the redirects. */
  async submitAndFollow(
    page: Answer,
    button: Readonly<Record<string, string>> = {},
    until?: (url: string) => boolean,
  ): Promise<Answer> {
    const answer = await this.submit(page, button);
    const location = answer.headers.get('location');
    if (location === null) return answer;
    const next = new URL(location, answer.url).href;
    return until?.(next) === true ? { ...answer, url: next } : this.navigate(next, until);
  }

  /** Signs in at the load balancer as one of the tenant's users. */
  async signIn(publicUrl: string, username: string): Promise<Answer> {
    const chooser = await this.navigate(`${publicUrl}/docs`);
    return this.submitAndFollow(chooser, { username });
  }
}

function attribute(tag: string, name: string): string {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
  return value
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&amp;', '&');
}
