const TIMEOUT_MS = 5_000;
/** More bytes than any discovery document has. */
const LARGEST_BODY = 256 * 1024;

/** An HTTP answer, or the reason why there was none. */
export type Probe =
  | {
      readonly reached: true;
      readonly status: number;
      /** The target of a redirect. */
      readonly location: string | undefined;
      readonly text: string;
      /** Whether the answer is one of this application's own errors. */
      readonly byApplication: boolean;
    }
  | { readonly reached: false; readonly code: string };

/** Sends requests without a sign-in. It does not follow redirects. */
export class Probes {
  /** Milliseconds by which the clocks of those that answered are ahead of this machine's. */
  readonly clockOffsets: number[] = [];
  readonly #answers = new Map<string, Promise<Probe>>();

  get(url: string): Promise<Probe> {
    return this.#ask('GET', url);
  }

  post(url: string): Promise<Probe> {
    return this.#ask('POST', url);
  }

  #ask(method: 'GET' | 'POST', url: string): Promise<Probe> {
    const id = `${method} ${url}`;
    const answer = this.#answers.get(id) ?? ask(method, url, this.clockOffsets);
    this.#answers.set(id, answer);
    return answer;
  }
}

async function ask(method: 'GET' | 'POST', url: string, clockOffsets: number[]): Promise<Probe> {
  const startedAt = Date.now();
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept: '*/*', 'user-agent': 'onbehalf-doctor' },
      ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }),
    });
    const date = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(date)) clockOffsets.push(date - (startedAt + Date.now()) / 2);
    const text = await readStart(response);
    const byApplication =
      response.headers.get('content-type')?.startsWith('application/problem+json') === true;
    const location = response.headers.get('location') ?? undefined;
    return { reached: true, status: response.status, location, text, byApplication };
  } catch (error) {
    const { name, cause } = error as Error & { readonly cause?: NodeJS.ErrnoException };
    return { reached: false, code: cause?.code ?? name };
  }
}

async function readStart(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
    // Leaving the loop closes the connection.
    if (size > LARGEST_BODY) break;
  }
  return Buffer.concat(chunks).toString('utf8');
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
