import { escapeHtml, page } from '../lib/page.ts';
import type { Action, BoardPart } from './board-part.ts';
import type { Board, FaultState, PresetState } from './board.ts';
import type { Refusal } from './refusal.ts';

const BRAND = 'OnBehalf, local stack';
const SECONDS = 60;

/** @param at the id of the control that was pressed; it gets the focus */
export function boardPage(board: Board, at: string | undefined): string {
  const faults = board.faults();
  const presets = board.presets();
  const parts = board.parts.map((part) =>
    partCard(
      part,
      presets.filter((preset) => preset.faults[0]?.part === part.id),
      at,
    ),
  );
  const body = `<h1>Fault board</h1>
<p>Make a part of the local stack fail, and see how OnBehalf behaves. Each incident of <code>docs/operations.md</code> that can be played has a switch.</p>
${plannedCard(faults, at)}
${parts.join('\n')}`;
  return page({ title: titleOf(faults.filter(isActive).length), brand: BRAND, body, style: BOARD_STYLE });
}

export function refusalPage({ message }: Refusal): string {
  const body = `<section class="card"><h1>Not accepted</h1><p>${escapeHtml(message)}</p><p><a href="/">Back to the fault board</a></p></section>`;
  return page({ title: 'Not accepted', brand: BRAND, body, style: BOARD_STYLE });
}

function titleOf(count: number): string {
  return count === 0 ? 'Fault board' : `Fault board (${String(count)})`;
}

/** A fault is active until it has met as many requests as were planned. */
function isActive({ planned }: FaultState): boolean {
  return planned.remaining > 0;
}

function plannedCard(faults: readonly FaultState[], at: string | undefined): string {
  const active = faults.filter(isActive).length;
  const none = '<p class="state">Every part answers as it should.</p>';
  const rows = faults.map(plannedRow);
  const list = `<ul class="rows">${rows.join('')}</ul>`;
  return `<section class="card${active > 0 ? ' failing' : ''}" aria-labelledby="planned-title">
<div class="head"><h2 id="planned-title">${count(active, 'fault')} planned</h2>
<div class="controls"><a class="button" href="/">Refresh</a>
<form method="post" action="/page/clear"><button id="planned"${focus('planned', at)}>End all faults</button></form></div></div>
${faults.length === 0 ? none : list}</section>`;
}

function plannedRow({ part, planned }: FaultState): string {
  const { id, path, fault, remaining, met, plannedBy } = planned;
  const left = Number.isFinite(remaining) ? `${count(remaining, 'request')} left` : 'until it is ended';
  const by = plannedBy === undefined ? '' : ` · <code>${plannedBy}</code>`;
  const name = `${part.title}: ${fault.kind}`;
  return `<li><div><strong>${escapeHtml(name)}</strong><small><code>${escapeHtml(path.source)}</code>${by} · ${left} · met by ${count(met, 'request')}</small></div>
<form method="post" action="/page/faults/${id}/remove"><button aria-label="End ${escapeHtml(name)}">End</button></form></li>`;
}

function partCard(part: BoardPart, presets: readonly PresetState[], at: string | undefined): string {
  const { id, title, url, faults } = part;
  const actions = Object.entries(part.actions).map(([name, action]) => actionRow(part, name, action, at));
  return `<section class="card" aria-labelledby="title-${id}">
<div class="head"><div><h2 id="title-${id}">${escapeHtml(title)}</h2><small>${escapeHtml(url)} · ${count(faults.requests, 'request')}</small></div></div>
<ul class="rows">${presets.map((preset) => presetRow(part, preset, at)).join('')}${actions.join('')}</ul></section>`;
}

function presetRow(
  part: BoardPart,
  { name, title, see, isOn, met }: PresetState,
  at: string | undefined,
): string {
  const metBy = isOn ? `<small class="met">Met by ${count(met, 'request')} so far</small>` : '';
  const id = `preset-${name}`;
  return `<li><div><strong id="label-${name}">${escapeHtml(title)}</strong><small>${escapeHtml(see)}</small><small><code>${name}</code></small>${metBy}</div>
<form method="post" action="/page/presets/${name}/${isOn ? 'off' : 'on'}"><button class="switch" id="${id}" role="switch" aria-checked="${String(isOn)}" aria-labelledby="label-${name} title-${part.id}"${focus(id, at)}>${isOn ? 'On' : 'Off'}</button></form></li>`;
}

function actionRow(part: BoardPart, name: string, action: Action, at: string | undefined): string {
  const id = `action-${part.id}-${name}`;
  const options = action.logins.map((login) => `<option>${escapeHtml(login)}</option>`).join('');
  const login = options === '' ? '' : `<label>Account <select name="login">${options}</select></label>`;
  const seconds = action.takesSeconds
    ? `<label>Seconds <input name="seconds" type="number" min="1" max="86400" value="${String(SECONDS)}"></label>`
    : '';
  return `<li><form class="action" method="post" action="/page/actions/${part.id}/${name}"><strong id="${id}-title">${escapeHtml(action.title)}</strong>
<div class="controls">${login}${seconds}<button id="${id}" aria-describedby="${id}-title"${focus(id, at)}>Do it once</button></div></form></li>`;
}

function focus(id: string, at: string | undefined): string {
  return id === at ? ' autofocus' : '';
}

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}

export const BOARD_STYLE = `
:root { --failing: #b3261e; --on-failing: #fff; --track: #6b7685; }
@media (prefers-color-scheme: dark) { :root { --failing: #ffb4a9; --on-failing: #48100b; --track: #8391a3; } }
main { width: min(48rem, calc(100vw - 2rem)); background: transparent; border: 0; padding: 0; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
header { padding-bottom: .25rem; width: min(48rem, calc(100vw - 2rem)); padding-inline: 0; }
main > p, main > h1 { margin: 0; }
main > h1 { font-size: 1.8rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.1rem 1.25rem; }
.card.failing { border-color: var(--failing); box-shadow: inset 4px 0 0 var(--failing); }
.head { display: flex; flex-wrap: wrap; gap: .5rem 1rem; justify-content: space-between; align-items: center; }
h2 { font-size: 1.05rem; line-height: 1.3; margin: 0; }
small { display: block; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
strong { font-weight: 600; }
.state { margin: .5rem 0 0; }
.rows { list-style: none; margin: .75rem 0 0; padding: 0; }
.rows > li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 1rem; align-items: center; padding: .75rem 0; border-top: 1px solid var(--line); }
.rows > li:last-child { padding-bottom: 0; }
.rows > li > .action { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: .5rem 1rem; justify-content: space-between; align-items: center; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; }
label { color: var(--soft); font-size: .875rem; display: flex; gap: .4rem; align-items: center; }
select, input { font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--track); border-radius: .4rem; padding: .35rem .5rem; }
input[type="number"] { width: 5.5rem; }
button, .button { width: auto; text-align: center; padding: .4rem .8rem; border: 1px solid var(--track); border-radius: .5rem; color: inherit; text-decoration: none; white-space: nowrap; }
.button:hover { border-color: var(--accent); }
select:focus-visible, input:focus-visible, .switch:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.switch { display: inline-flex; align-items: center; gap: .5rem; min-width: 5.2rem; border-color: transparent; padding: .4rem; justify-content: flex-end; }
.switch::after { content: ""; width: 2.6rem; height: 1.5rem; border-radius: 1rem; border: 1px solid var(--track); background: radial-gradient(circle at .7rem 50%, var(--track) .48rem, transparent .52rem); }
.switch[aria-checked="true"] { font-weight: 600; }
.switch[aria-checked="true"]::after { border-color: var(--failing); background: radial-gradient(circle at 1.8rem 50%, var(--on-failing) .48rem, transparent .52rem), var(--failing); }
@media (min-width: 40rem) { .action .controls { margin-left: auto; } }
.met { color: var(--failing); font-weight: 600; }
@media (forced-colors: active) { .switch::after { forced-color-adjust: none; } }
`;
