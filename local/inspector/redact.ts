const HIDDEN_HEADERS =
  /^(authorization|cookie|set-cookie|x-amzn-oidc-|x-amz-security-token|x-amzn-bedrock-agentcore-)/i;
/** The names of members, fields and parameters whose values let somebody act, or recognise a flow. */
const HIDDEN_NAMES =
  /^(access_?token|refresh_?token|id_?token|workload(access|identity)?token|usertoken|client_?secret|code|code_verifier|code_challenge|state|customstate|nonce|ticket|session_?(id|uri)|sessionuri|request_uri|csrf|secret|authorizationurl|connecturl|apikey|jwt|token|password)$/i;
/** Tokens wherever they stand: JWTs and JWEs, those of GitHub, session URIs, the path of an interaction. */
const HIDDEN_FORMS =
  /eyJ[\w-]{8,}(\.[\w-]*){2,4}|gh[opsur]_\w{8,}|urn:ietf:params:oauth:request_uri:[\w-]+|(?<=ticket=)[\w.~%-]+/g;
const LONGEST = 20_000;

/** Says that something is hidden, and how long it is. */
export function hidden(text: string): string {
  return `‹hidden, ${String(text.length)} characters›`;
}

/** The path of a request, with the values of parameters that are secrets hidden. */
export function redactedPath(path: string): string {
  const [pathname = '', query] = path.split('?', 2);
  if (query === undefined) return forms(pathname);
  const parts = query.split('&').map((part) => {
    const [name = '', value = ''] = part.split('=', 2);
    const isConversation = name === 'sessionId';
    return HIDDEN_NAMES.test(name) && !isConversation ? `${name}=${hidden(value)}` : forms(part);
  });
  return `${forms(pathname)}?${parts.join('&')}`;
}

export function redactedHeaders(
  headers: Readonly<Record<string, number | string | readonly string[] | undefined>>,
): Record<string, string> {
  const shown = Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const text = Array.isArray(value) ? value.join(', ') : String(value);
    if (HIDDEN_HEADERS.test(name)) return [[name, hidden(text)] as const];
    return [[name, /^(location|referer)$/i.test(name) ? redactedLocation(text) : forms(text)] as const];
  });
  return Object.fromEntries(shown);
}

/** A body as text. Of a page, and of a body that is neither text nor JSON, only the size is kept. */
export function redactedBody(type: string, body: Buffer): string {
  if (body.length === 0) return '';
  if (/json|event-stream/.test(type)) return cut(json(body.toString('utf8')));
  if (type.includes('x-www-form-urlencoded')) return redactedPath(`?${body.toString('utf8')}`).slice(1);
  if (type.includes('text/plain')) return cut(forms(body.toString('utf8')));
  const what = type.includes('html') ? 'A page' : type.includes('xml') ? 'XML' : 'Binary data';
  return `${what}, ${String(body.length)} bytes`;
}

function redactedLocation(text: string): string {
  return URL.canParse(text)
    ? new URL(text).origin + redactedPath(text.slice(new URL(text).origin.length))
    : redactedPath(text);
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
}

function json(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (name, value: unknown) => shown(name, value), 2);
  } catch {
    // Server-sent events: each line of data is JSON.
    return forms(text).replaceAll(/^data: (.*)$/gm, (_line, data: string) => `data: ${line(data)}`);
  }
}

function line(data: string): string {
  try {
    return JSON.stringify(JSON.parse(data), (name, value: unknown) => shown(name, value));
  } catch {
    return forms(data);
  }
}

function shown(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  // A conversation is named by `sessionId`, which is no secret.
  return HIDDEN_NAMES.test(name) && name !== 'sessionId' ? hidden(value) : forms(value);
}

function forms(text: string): string {
  return text.replaceAll(HIDDEN_FORMS, (found) => hidden(found));
}
