import { createHash } from 'node:crypto';

/** HTML that is safe to send. Only `html` and `raw` create it. */
export class Html {
  readonly value: string;
  constructor(value: string) {
    this.value = value;
  }
}

/** A template that escapes every value, unless the value is `Html` or a list of `Html`. */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  const parts = strings.map((text, index) => text + (index < values.length ? render(values[index]) : ''));
  return new Html(parts.join(''));
}

function render(value: string | Html | readonly Html[] | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escapeHtml(value);
  return value instanceof Html ? value.value : value.map((each) => each.value).join('');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${String(character.charCodeAt(0))};`);
}

/** The signed-in user, as pages show them. */
export interface PageUser {
  readonly displayName?: string;
}

export interface Page {
  readonly title: string;
  readonly tone: 'neutral' | 'good' | 'bad';
  readonly body: Html;
  /** Absent where nobody is signed in. */
  readonly user?: PageUser | undefined;
  /** A script of ours. The page's policy allows exactly this text and no other script. */
  readonly script?: string;
  /** Where the page's form may lead: to the page itself, and by redirect to this origin. */
  readonly formTarget?: string;
}

/** A page that is ready to be sent. */
export interface RenderedPage {
  readonly body: string;
  readonly contentSecurityPolicy: string;
}

const STYLE = `
:root{color-scheme:light dark;--ink:#17202b;--soft:#526072;--line:#d6dde5;--ground:#eef2f5;--card:#fff;--accent:#0b6e5f;--on-accent:#fff;--bad:#a3302b}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#a1aebc;--line:#33404d;--ground:#10161c;--card:#18212a;--accent:#5fd0bb;--on-accent:#06231e;--bad:#ff9d94}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;align-content:center;justify-items:center;padding:2rem 1rem;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{width:min(30rem,100%);background:var(--card);border:1px solid var(--line);border-radius:1rem;padding:2rem;overflow-wrap:anywhere}
.brand{display:flex;align-items:center;gap:.6rem;margin:0 0 1.5rem;font-weight:600;color:var(--soft)}
.brand::before{content:"";width:1.1rem;height:1.1rem;border-radius:50%;background:var(--accent)}
.bad .brand::before{background:var(--bad)}
h1{font-size:1.45rem;line-height:1.25;margin:0 0 .75rem}
p{margin:0 0 1rem}
.soft{color:var(--soft)}
dl{margin:1.25rem 0;display:grid;grid-template-columns:max-content 1fr;gap:.5rem 1rem}
dt{color:var(--soft)}
dd{margin:0}
ul{margin:0;padding-left:1.1rem}
code{font-size:.875em}
button{font:inherit;font-weight:600;width:100%;padding:.8rem 1rem;border:0;border-radius:.6rem;background:var(--accent);color:var(--on-accent);cursor:pointer}
button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
form{margin:0 0 1rem}
main>:last-child{margin-bottom:0}
a{color:var(--accent)}
footer{width:min(30rem,100%);margin-top:1rem;text-align:center;font-size:.9rem;color:var(--soft);overflow-wrap:anywhere}
`;
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_SOURCE = hashSource(STYLE);

/** A whole page and the policy to send with it. The page loads nothing, and only the script that is written here runs. */
export function renderPage(page: Page): RenderedPage {
  const script = page.script === undefined ? html`` : new Html(`<script>${page.script}</script>`);
  const body = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title} · OnBehalf</title>${STYLE_ELEMENT}</head>
<body class="${page.tone}"><main><p class="brand">OnBehalf</p>${page.body}</main>${signedIn(page.user)}${script}</body></html>`;
  const policy = [
    "default-src 'none'",
    `style-src ${STYLE_SOURCE}`,
    ...(page.script === undefined ? [] : [`script-src ${hashSource(page.script)}`]),
    `form-action ${page.formTarget ?? "'none'"}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return { body: body.value, contentSecurityPolicy: policy.join('; ') };
}

function signedIn(user: PageUser | undefined): Html {
  if (user === undefined) return html``;
  const account =
    user.displayName === undefined ? html`You are signed in` : html`Signed in as ${user.displayName}`;
  return html`<footer>${account} · <a href="/sign-out">Sign out</a></footer>`;
}

/**
 * Where a form may lead. Browsers also apply `form-action` to the redirects that follow, and their hosts are not known here.
 * Plain HTTP is allowed for localhost only.
 */
export function formTargetFor(url: string): string {
  const local = new URL(url).protocol === 'http:' ? ' http://localhost:* http://127.0.0.1:*' : '';
  return `'self' https:${local}`;
}

/** https://www.w3.org/TR/CSP3/#grammardef-hash-source */
function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
