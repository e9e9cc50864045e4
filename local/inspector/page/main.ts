import { partiesOf, sentenceOf, toMermaid, toNames, toSvg } from './diagram.ts';
import type { Hop, Message } from './hop.ts';

const EVERY_MS = 500;
const REPLAY_MS = 700;
const NARROWEST = 150;

type Filter = 'flow' | 'work' | 'all';

/** What an attack has come to. */
interface Outcome {
  readonly steps: readonly { readonly title: string; readonly checks: readonly Check[] }[];
}
interface Check {
  readonly what: string;
  readonly holds: boolean;
}

const hops = new Map<number, Hop>();
let version = 0;
let filter: Filter = 'flow';
/** How many of the hops are drawn; undefined draws all, also those to come. */
let shown: number | undefined;
let chosen: number | undefined;
let replaying: ReturnType<typeof setInterval> | undefined;

function part(id: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`#${id}`);
  if (found === null) throw new Error(`no ${id}`);
  return found;
}

/** The lines that the roles write by the clock, and what a page loads, are beside the point. */
function isShown({ step, to, title, line }: Hop): boolean {
  if (filter === 'all') return true;
  if (filter === 'flow') return step !== undefined;
  if (/^GET \/(assets|docs|me|usage|sessions|connections|receipts)?(\/.*|\?.*|)$/.test(line)) return false;
  return !(to === 's3' && /^(Lease|Usage|GET|PUT)/.test(title));
}

function listed(): readonly Hop[] {
  return [...hops.values()].filter(isShown);
}

function draw(): void {
  const all = listed();
  const drawn = all.slice(0, shown);
  const place = part('diagram');
  const main = place.parentElement;
  const wasAtEnd = main !== null && main.scrollHeight - main.scrollTop - main.clientHeight < 60;
  const focused = document.activeElement?.getAttribute('data-hop');
  // The lanes stay where they are while a run is replayed.
  const lane = Math.max(NARROWEST, Math.floor((place.clientWidth - 1) / Math.max(1, partiesOf(all).length)));
  place.replaceChildren(...(drawn.length > 0 ? [elementOf(toSvg(drawn, { lane }))] : []));
  part('names').replaceChildren(...(drawn.length > 0 ? [elementOf(toNames(drawn, lane))] : []));
  part('empty').hidden = drawn.length > 0;
  part('place').textContent = `${String(drawn.length)} of ${String(all.length)}`;
  part('live').setAttribute('aria-pressed', String(shown === undefined));
  mark();
  if (focused !== null && focused !== undefined)
    place.querySelector<SVGElement>(`[data-hop="${focused}"]`)?.focus();
  if (main !== null && (wasAtEnd || shown !== undefined)) main.scrollTop = main.scrollHeight;
}

function elementOf(svg: string): Element {
  return document.importNode(new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement, true);
}

function mark(): void {
  for (const each of document.querySelectorAll('.hop.chosen')) each.classList.remove('chosen');
  if (chosen !== undefined) document.querySelector(`[data-hop="${String(chosen)}"]`)?.classList.add('chosen');
}

async function read(): Promise<void> {
  const answer = await fetch(`/inspector/hops?since=${String(version)}`).catch(() => undefined);
  if (answer?.ok !== true) return;
  const news = (await answer.json()) as readonly Hop[];
  for (const hop of news) {
    hops.set(hop.id, hop);
    version = Math.max(version, hop.version);
  }
  if (news.length > 0) draw();
}

function open(hop: Hop): void {
  chosen = hop.id;
  part('title').textContent = sentenceOf(hop);
  const facts = [
    ['When', new Date(hop.at).toLocaleTimeString()],
    ['Took', hop.ms === undefined ? '…' : `${String(hop.ms)} ms`],
    ['Line', hop.line],
  ] as const;
  part('facts').replaceChildren(
    ...facts.flatMap(([name, value]) => [element('dt', name), element('dd', value)]),
  );
  part('request').textContent = textOf(hop.request);
  part('response').textContent = hop.response === undefined ? '…' : textOf(hop.response);
  part('details').hidden = false;
  mark();
  part('title').focus();
}

function textOf({ headers, body }: Message): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [...lines, ...(body === '' ? [] : ['', body])].join('\n');
}

function element(name: 'dt' | 'dd' | 'li' | 'strong', text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function pause(): void {
  clearInterval(replaying);
  replaying = undefined;
  part('play').textContent = 'Replay';
}

function go(to: number | undefined): void {
  pause();
  shown = to === undefined ? undefined : Math.max(0, Math.min(to, listed().length));
  draw();
}

function replay(): void {
  if (replaying !== undefined) {
    pause();
    return;
  }
  if (shown === undefined || shown >= listed().length) shown = 0;
  part('play').textContent = 'Pause';
  replaying = setInterval(() => {
    shown = (shown ?? 0) + 1;
    draw();
    if (shown >= listed().length) pause();
  }, REPLAY_MS);
}

function save(name: string, type: string, text: string): void {
  const href = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(document.createElement('a'), { href, download: name }).click();
  URL.revokeObjectURL(href);
}

async function attack(button: HTMLButtonElement): Promise<void> {
  const buttons = document.querySelectorAll<HTMLButtonElement>('[data-attack]');
  for (const each of buttons) each.disabled = true;
  const outcome = part('outcome');
  try {
    go(undefined);
    const answer = await fetch(`/inspector/attacks/${button.dataset.attack ?? ''}`, { method: 'POST' });
    const told = (await answer.json()) as Partial<Outcome> & { readonly message?: string };
    const checks = (told.steps ?? []).flatMap(({ checks: each }) => each);
    const failed = checks.length > 0 && checks.every(({ holds }) => holds);
    outcome.className = failed ? '' : 'differs';
    const list = document.createElement('ul');
    list.append(...checks.map(({ what, holds }) => element('li', holds ? what : `DIFFERS: ${what}`)));
    const sentence = failed
      ? 'The attack has failed, as it must.'
      : (told.message ?? 'The attack could not be played.');
    outcome.replaceChildren(element('strong', `${button.textContent}: ${sentence}`), list);
    outcome.hidden = false;
    await read();
  } finally {
    for (const each of buttons) each.disabled = false;
  }
}

const diagram = part('diagram');
const hopAt = (target: EventTarget | null): Hop | undefined => {
  const found =
    target instanceof Element ? target.closest('[data-hop]')?.getAttribute('data-hop') : undefined;
  return found === null || found === undefined ? undefined : hops.get(Number(found));
};
diagram.addEventListener('click', ({ target }) => {
  const hop = hopAt(target);
  if (hop !== undefined) open(hop);
});
diagram.addEventListener('keydown', (event) => {
  const hop = hopAt(event.target);
  if (hop === undefined || (event.key !== 'Enter' && event.key !== ' ')) return;
  event.preventDefault();
  open(hop);
});
part('filter').addEventListener('change', ({ currentTarget }) => {
  filter = (currentTarget as HTMLSelectElement).value as Filter;
  go(undefined);
});
const on = (id: string, run: () => void): void => {
  part(id).addEventListener('click', run);
};
on('first', () => {
  go(0);
});
on('back', () => {
  go((shown ?? listed().length) - 1);
});
on('on', () => {
  go((shown ?? listed().length) + 1);
});
on('play', replay);
on('live', () => {
  go(undefined);
});
on('close', () => {
  part('details').hidden = true;
  document.querySelector<SVGElement>(`[data-hop="${String(chosen)}"]`)?.focus();
});
on('clear', () => {
  void fetch('/inspector/clear', { method: 'POST' }).then(() => {
    hops.clear();
    part('details').hidden = true;
    part('outcome').hidden = true;
    go(undefined);
  });
});
on('svg', () => {
  save('flow.svg', 'image/svg+xml', toSvg(listed().slice(0, shown), { isAlone: true }));
});
on('mermaid', () => {
  save('flow.mmd', 'text/plain', toMermaid(listed().slice(0, shown)));
});
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-attack]'))
  button.addEventListener('click', () => void attack(button));

draw();
addEventListener('resize', draw);
void read();
setInterval(() => void read(), EVERY_MS);
