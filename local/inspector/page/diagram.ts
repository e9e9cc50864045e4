import { PARTIES, type Hop, type Party } from './hop.ts';

const LANE = 150;
const ROW = 38;
const HEAD = 54;
const FOOT = 16;
const SELF = 46;
const BADGE = 11;
const FAILED = 400;

/** Colours and forms, for the page and for a file of its own. */
export const STYLE = `
.diagram { font: 13px/1.3 system-ui, sans-serif; --ink: #17202b; --soft: #5b6675; --line: #c9d2dc; --card: #fff; --accent: #0b6e5f; --on: #fff; --bad: #a3302b; --ground: #eef2f5; }
@media (prefers-color-scheme: dark) { .diagram { --ink: #e8edf2; --soft: #a1aebc; --line: #3d4b59; --card: #18212a; --accent: #5fd0bb; --on: #06231e; --bad: #ff9d94; --ground: #10161c; } }
.diagram text { fill: var(--ink); }
.diagram .lane { stroke: var(--line); stroke-dasharray: 3 4; }
.diagram .party { fill: var(--ground); stroke: var(--line); }
.diagram .party-name { font-weight: 600; text-anchor: middle; }
.diagram .arrow { stroke: var(--soft); stroke-width: 1.5; fill: none; }
.diagram .head { fill: var(--soft); }
.diagram .of-flow .arrow { stroke: var(--accent); stroke-width: 2; }
.diagram .of-flow .head, .diagram .badge { fill: var(--accent); }
.diagram .failed .arrow { stroke: var(--bad); }
.diagram .failed .head { fill: var(--bad); }
.diagram .label { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.diagram .badge-text { fill: var(--on); font-weight: 700; font-size: 11px; text-anchor: middle; }
.diagram .status { fill: var(--soft); font-size: 12px; }
.diagram .failed .status { fill: var(--bad); font-weight: 600; }
.diagram .hit { fill: transparent; }
.diagram .hop { cursor: pointer; outline: none; }
.diagram .hop:hover .hit, .diagram .hop.chosen .hit { fill: var(--accent); fill-opacity: 0.1; }
.diagram .hop:focus-visible .hit { stroke: var(--accent); stroke-width: 2; }
`;

/** The parties that take part, in their order. */
export function partiesOf(hops: readonly Hop[]): readonly Party[] {
  const present = new Set(hops.flatMap(({ from, to }) => [from, to]));
  return PARTIES.map(([party]) => party).filter((party) => present.has(party));
}

export function nameOf(party: Party): string {
  return PARTIES.find(([each]) => each === party)?.[1] ?? party;
}

/** Between whom a hop is, for people who do not see the arrow: beside the words that are drawn. */
function betweenOf({ from, to, step }: Hop): string {
  return `${nameOf(from)} to ${nameOf(to)}${step === undefined ? ':' : `, step ${step}:`} `;
}

/** A sentence for a hop, for people who do not see the arrow. */
export function sentenceOf({ step, from, to, title, status, user }: Hop): string {
  const number = step === undefined ? '' : `Step ${step}. `;
  const as = user === undefined ? '' : ` for ${user}`;
  return `${number}${nameOf(from)} to ${nameOf(to)}: ${title}${as}${told(status)}`;
}

function told(status: number | undefined): string {
  if (status === undefined) return ', not answered yet';
  return status === 0 ? ', the connection broke' : `, answered ${String(status)}`;
}

/** How wide the lanes are, and whether the drawing is a file of its own: with its style, and the names of the parties. */
export interface Drawing {
  readonly lane?: number;
  readonly isAlone?: boolean;
}

/** A sequence diagram as SVG. */
export function toSvg(hops: readonly Hop[], { lane = LANE, isAlone = false }: Drawing = {}): string {
  const parties = partiesOf(hops);
  const width = Math.max(1, parties.length) * lane;
  const top = isAlone ? HEAD : 0;
  const height = top + hops.length * ROW + FOOT;
  const xOf = (party: Party): number => parties.indexOf(party) * lane + lane / 2;
  const lines = parties.map((party) => lineOf(xOf(party), top, height)).join('');
  const arrows = hops.map((hop, index) => arrowOf(hop, top + index * ROW, { width, xOf })).join('');
  const names = isAlone ? namesOf(parties, lane) : '';
  const style = isAlone ? `<style>${STYLE}</style>` : '';
  const title = isAlone ? ' role="img" aria-label="Who talks to whom, one request after the other"' : '';
  return `${openingOf(width, height, title)}${style}${lines}${names}${arrows}</svg>`;
}

/** The names of the parties alone, to stand above the diagram. */
export function toNames(hops: readonly Hop[], lane: number): string {
  const parties = partiesOf(hops);
  return `${openingOf(Math.max(1, parties.length) * lane, HEAD - 12)}${namesOf(parties, lane)}</svg>`;
}

function openingOf(width: number, height: number, more = ''): string {
  const [w, h] = [String(width), String(height)];
  return `<svg xmlns="http://www.w3.org/2000/svg" class="diagram" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}"${more}>`;
}

function lineOf(x: number, top: number, height: number): string {
  return `<line class="lane" x1="${String(x)}" y1="${String(Math.max(0, top - 16))}" x2="${String(x)}" y2="${String(height)}"/>`;
}

function namesOf(parties: readonly Party[], lane: number): string {
  return parties
    .map((party, index) => {
      const left = index * lane + 5;
      return `<rect class="party" x="${String(left)}" y="6" width="${String(lane - 10)}" height="30" rx="8"/><text class="party-name" x="${String(left + lane / 2 - 5)}" y="26">${escaped(nameOf(party))}</text>`;
    })
    .join('');
}

interface Place {
  readonly width: number;
  readonly xOf: (party: Party) => number;
}

function arrowOf(hop: Hop, top: number, { width, xOf }: Place): string {
  const y = top + ROW - 10;
  const [start, end] = [xOf(hop.from), hop.from === hop.to ? xOf(hop.to) + SELF : xOf(hop.to)];
  const direction = end > start ? 1 : -1;
  const failed = hop.status === 0 || (hop.status ?? 0) >= FAILED;
  const kind = `hop${hop.step === undefined ? '' : ' of-flow'}${failed ? ' failed' : ''}`;
  const tip = end - direction * 2;
  const back = tip - direction * 8;
  const head = `<polygon class="head" points="${String(tip)},${String(y)} ${String(back)},${String(y - 4)} ${String(back)},${String(y + 4)}"/>`;
  const left = Math.min(start, end) + 8 + (hop.step !== undefined && direction > 0 ? BADGE * 2 : 0);
  const label = `<text class="label" x="${String(left)}" y="${String(y - 7)}">${escaped(hop.title)} <tspan class="status">${escaped(statusOf(hop))}</tspan></text>`;
  return `<g class="${kind}" data-hop="${String(hop.id)}" tabindex="0" role="button"><text class="unseen" x="-9999" y="0">${escaped(betweenOf(hop))}</text><rect class="hit" x="1" y="${String(top + 1)}" width="${String(width - 2)}" height="${String(ROW - 2)}" rx="6"/><line class="arrow" x1="${String(start)}" y1="${String(y)}" x2="${String(back)}" y2="${String(y)}"/>${head}${badgeOf(hop, start, y)}${label}</g>`;
}

function badgeOf({ step }: Hop, x: number, y: number): string {
  if (step === undefined) return '';
  const wide = BADGE * 2 + Math.max(0, step.length - 2) * 6;
  return `<rect class="badge" x="${String(x - wide / 2)}" y="${String(y - BADGE)}" width="${String(wide)}" height="${String(BADGE * 2)}" rx="${String(BADGE)}"/><text class="badge-text" aria-hidden="true" x="${String(x)}" y="${String(y + 4)}">${escaped(step)}</text>`;
}

function statusOf({ status, ms }: Hop): string {
  if (status === undefined) return '…';
  const answer = status === 0 ? 'broken' : String(status);
  return ms === undefined ? answer : `${answer} · ${String(ms)} ms`;
}

/** The same as text, for https://mermaid.js.org/syntax/sequenceDiagram.html */
export function toMermaid(hops: readonly Hop[]): string {
  const idOf = (party: Party): string => party.replaceAll('-', '_');
  const participants = partiesOf(hops).map((party) => `  participant ${idOf(party)} as ${nameOf(party)}`);
  const arrows = hops.map((hop) => {
    const number = hop.step === undefined ? '' : `${hop.step}. `;
    const status = hop.status === undefined ? '' : ` (${String(hop.status)})`;
    const text = `${number}${hop.title}${status}`.replaceAll(/[;#<>]/g, ' ');
    return `  ${idOf(hop.from)}->>${idOf(hop.to)}: ${text}`;
  });
  return `${['sequenceDiagram', ...participants, ...arrows].join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
