import { texts } from '../texts.ts';
import type { Live } from '../state/live.ts';

/** As much of Swagger UI's request as is used here. */
interface Request {
  readonly url: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers: Record<string, string>;
  curlOptions?: readonly string[];
  userFetch?: typeof fetch;
}

type SwaggerUI = (options: {
  readonly spec: object;
  readonly dom_id: string;
  readonly tryItOutEnabled: boolean;
  readonly validatorUrl: null;
  readonly defaultModelsExpandDepth: number;
  readonly requestInterceptor: (request: Request) => Request;
}) => void;

declare const SwaggerUIBundle: SwaggerUI;

/** Of the specification's examples. Each page takes another one, so that they run as they stand every time. */
const EXAMPLE_ID = 'try-it-out';
const FIRST = '#/Agent/invoke';
const ADDRESS = /^#\/(\w+)\/(\w+)$/;
const COOKIE = "--cookie 'AWSELBAuthSessionCookie-0=TAKE-IT-FROM-YOUR-BROWSER'";
const RUN_NAME = 'idempotency-key';
const DARK = '(prefers-color-scheme: dark)';
const SHORT = 8;

/** Starts Swagger UI at the operation that is to be tried first. What it sends is shown live as well. */
export async function startSwagger(live: Live): Promise<void> {
  followColours();
  let isOpened = false;
  new MutationObserver(() => {
    mend();
    isOpened ||= openOperation();
  }).observe(document.body, { childList: true, subtree: true });
  const ownId = `${EXAMPLE_ID}-${crypto.randomUUID().slice(0, SHORT)}`;
  const text = await (await fetch('/openapi.json')).text();
  SwaggerUIBundle({
    spec: JSON.parse(text.replaceAll(`"${EXAMPLE_ID}"`, `"${ownId}"`)) as object,
    dom_id: '#swagger-ui',
    tryItOutEnabled: true,
    validatorUrl: null,
    defaultModelsExpandDepth: -1,
    requestInterceptor: (request) => {
      request.curlOptions = [COOKIE];
      if (isInvocation(request)) showLive(live, request);
      return request;
    },
  });
}

/** Opens the operation that the address names, such as `#/Agent/invoke`, or else the one to try first; once it is there. */
function openOperation(): boolean {
  const [, tag = '', operation = ''] = ADDRESS.exec(location.hash) ?? ADDRESS.exec(FIRST) ?? [];
  const place = document.querySelector(`#operations-${tag}-${operation}`);
  const control = place?.querySelector<HTMLElement>('.opblock-summary-control');
  control?.click();
  place?.scrollIntoView();
  return control != null;
}

/** Names what Swagger UI leaves without a name, for assistive software, and puts its headings in order. */
function mend(): void {
  for (const heading of document.querySelectorAll('#swagger-ui :is(h3, h4, h5):not([role])')) {
    heading.setAttribute('role', 'heading');
    heading.setAttribute('aria-level', String(Number(heading.tagName.slice(1)) - 1));
  }
  for (const code of document.querySelectorAll('#swagger-ui pre:not([tabindex])'))
    code.setAttribute('tabindex', '0');
  const about = document.querySelector('#swagger-ui .information-container:not([role])');
  about?.setAttribute('role', 'region');
  about?.setAttribute('aria-label', texts.docs.about);
  for (const field of document.querySelectorAll('#swagger-ui :is(select, textarea):not([aria-label])'))
    field.setAttribute('aria-label', labelOf(field));
}

function labelOf(field: Element): string {
  const parameter = field.closest<HTMLElement>('[data-param-name]')?.dataset.paramName;
  if (parameter !== undefined) return parameter;
  return field instanceof HTMLTextAreaElement ? texts.docs.body : texts.docs.example;
}

/** Gives the run a name, so that it can be read a second time while Swagger UI reads it. */
function showLive(live: Live, request: Request): void {
  const named = new Headers(request.headers).get(RUN_NAME);
  const runId = named ?? crypto.randomUUID();
  if (named === null) request.headers[RUN_NAME] = runId;
  request.userFetch = async (url, init) => {
    const answer = await fetch(url, init);
    if (answer.ok) follow(live, runId, request.body);
    return answer;
  };
}

function follow(live: Live, runId: string, body: unknown): void {
  if (typeof body !== 'string') return;
  const { sessionId, message } = JSON.parse(body) as {
    readonly sessionId?: string;
    readonly message?: string;
  };
  if (sessionId !== undefined) live.follow(sessionId, runId, message);
}

function isInvocation({ url, method }: Request): boolean {
  return method?.toUpperCase() === 'POST' && new URL(url, location.href).pathname === '/invocations';
}

/** Swagger UI is dark where its document has this class. */
function followColours(): void {
  const isDark = matchMedia(DARK);
  const apply = (): void => {
    document.documentElement.classList.toggle('dark-mode', isDark.matches);
  };
  isDark.addEventListener('change', apply);
  apply();
}
