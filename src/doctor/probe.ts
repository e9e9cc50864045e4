const TIMEOUT_MS = 5_000;
/** More than any discovery document has. */
const LARGEST_BODY = 256 * 1024;

/** An HTTP answer, or why there was none. */
export type Probe =
  | {
      readonly reached: true;
      readonly status: number;
      /** Where a redirect leads. */
      readonly location: string | undefined;
      readonly text: string;
    }
  | { readonly reached: false; readonly code: string };

/** Looks at addresses as somebody who is not signed in. Redirects are not followed. */
export class Probes {
  readonly #answers = new Map<string, Promise<Probe>>();

  get(url: string): Promise<Probe> {
    return this.#ask('GET', url);
  }

  post(url: string): Promise<Probe> {
    return this.#ask('POST', url);
  }

  #ask(method: 'GET' | 'POST', url: string): Promise<Probe> {
    const id = `${method} ${url}`;
    const answer = this.#answers.get(id) ?? ask(method, url);
    this.#answers.set(id, answer);
    return answer;
  }
}

async function ask(method: 'GET' | 'POST', url: string): Promise<Probe> {
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept: '*/*', 'user-agent': 'onbehalf-doctor' },
      ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }),
    });
    const text = (await response.text()).slice(0, LARGEST_BODY);
    const location = response.headers.get('location') ?? undefined;
    return { reached: true, status: response.status, location, text };
  } catch (error) {
    const { name, cause } = error as Error & { readonly cause?: NodeJS.ErrnoException };
    return { reached: false, code: cause?.code ?? name };
  }
}

/** A JSON object; undefined for anything else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
