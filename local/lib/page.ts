/** The layout of the pages of the local stack. Every page says that it is local. */
export function page(options: {
  readonly title: string;
  readonly brand: string;
  readonly body: string;
  /** Rules of this page, after those of all pages. */
  readonly style?: string;
}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeHtml(options.title)} · ${escapeHtml(options.brand)}</title>
<style>${stylesheet(options.style)}</style>
</head>
<body>
<header><span class="mark" aria-hidden="true"></span><span>${escapeHtml(options.brand)}</span></header>
<main>${options.body}</main>
<footer>Local stand-in: it runs on this machine only, and no real account is involved.</footer>
</body>
</html>`;
}

/** The text of a page's style element. A Content-Security-Policy allows it by its digest. */
export function stylesheet(further = ''): string {
  return CSS + further;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}

const CSS = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d8dee6; --ground: #f3f5f8; --card: #fff; --accent: #2f5fd0; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf1; --soft: #9aa6b5; --line: #343d4a; --ground: #12161c; --card: #1b2129; --accent: #8fb0ff; --on-accent: #0d1524; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; grid-template-rows: auto 1fr auto; justify-items: center; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header { padding: 2.5rem 1rem 1rem; font-weight: 600; display: flex; gap: .6rem; align-items: center; }
.mark { width: 1.1rem; height: 1.1rem; border-radius: .3rem; background: var(--accent); }
main { width: min(26rem, calc(100vw - 2rem)); align-self: start; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.75rem; }
h1 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .5rem; }
p { margin: 0 0 1rem; color: var(--soft); }
ul.plain { list-style: none; padding: 0; margin: 1.25rem 0; display: grid; gap: .6rem; }
li.scope { border-left: 3px solid var(--accent); padding: .1rem 0 .1rem .75rem; }
li.scope form { margin-top: .5rem; }
li.scope small, button small { display: block; color: var(--soft); }
button { font: inherit; cursor: pointer; border-radius: .5rem; padding: .7rem 1rem; border: 1px solid var(--line); background: transparent; color: inherit; width: 100%; text-align: left; }
button:hover { border-color: var(--accent); }
button:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button.primary { background: var(--accent); color: var(--on-accent); border-color: var(--accent); text-align: center; font-weight: 600; }
button.quiet { text-align: center; }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin-top: 1.25rem; }
footer { padding: 1.5rem 1rem 2rem; color: var(--soft); font-size: .85rem; text-align: center; }
code { font-size: .9em; }
a { color: var(--accent); }
`;
