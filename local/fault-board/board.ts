import type { PlannedFault } from '../lib/faults.ts';
import type { Action, BoardPart } from './board-part.ts';
import type { Chosen, Plan } from './bodies.ts';
import { presetsOf, type Preset } from './presets.ts';
import { Refusal } from './refusal.ts';

export interface PresetState extends Preset {
  readonly name: string;
  readonly isOn: boolean;
  /** The number of requests that have met its faults. */
  readonly met: number;
}

export interface FaultState {
  readonly part: BoardPart;
  readonly planned: PlannedFault;
}

/** Plans and removes faults at every part. The fault switches of the parts hold the state, so a reset of a part counts. */
export class Board {
  readonly parts: readonly BoardPart[];
  readonly #presets: Readonly<Record<string, Preset>>;

  constructor(parts: readonly BoardPart[]) {
    this.parts = parts;
    this.#presets = presetsOf(parts.map(({ id }) => id));
  }

  /** @throws Refusal */
  plan({ part: id, path, operation, fault, times }: Plan): PlannedFault {
    const part = this.#part(id);
    const matching = path === undefined ? operationOf(part, operation) : expressionOf(path, operation);
    return part.faults.plan(matching, fault, times);
  }

  faults(): readonly FaultState[] {
    return this.parts.flatMap((part) => part.faults.list().map((planned) => ({ part, planned })));
  }

  /** @throws Refusal when no fault has this id */
  remove(id: string): void {
    if (this.#removeWhere((fault) => fault.id === id) === 0)
      throw new Refusal(404, 'No planned fault has this id.');
  }

  clear(): void {
    this.#removeWhere(() => true);
  }

  presets(): readonly PresetState[] {
    return Object.entries(this.#presets).map(([name, preset]) => {
      const own = this.faults().filter(({ planned }) => planned.plannedBy === name);
      const met = own.reduce((sum, { planned }) => sum + planned.met, 0);
      return { ...preset, name, isOn: own.length > 0, met };
    });
  }

  /** Switching on a preset that is on changes nothing. @throws Refusal */
  switchPreset(name: string, on: boolean): PresetState {
    const before = this.#preset(name);
    if (!on) this.#removeWhere(({ plannedBy }) => plannedBy === name);
    else if (!before.isOn) this.#play(before);
    return this.#preset(name);
  }

  /** @throws Refusal */
  act(id: string, name: string, { login, seconds }: Chosen): void {
    const part = this.#part(id);
    const action = Object.entries(part.actions).find(([each]) => each === name)?.[1];
    if (action === undefined) throw new Refusal(404, oneOf(`${id} has no such action`, part.actions));
    requireLogin(action, login);
    if (action.takesSeconds !== (seconds !== undefined))
      throw new Refusal(
        400,
        action.takesSeconds ? 'seconds is missing.' : 'This action does not take seconds.',
      );
    action.run({ login: login ?? '', seconds: seconds ?? 0 });
  }

  #play({ name, first, faults }: PresetState): void {
    if (first !== undefined) this.act(first.part, first.action, {});
    for (const { part, path, fault } of faults) this.#part(part).faults.plan(path, fault, undefined, name);
  }

  #part(id: string): BoardPart {
    const found = this.parts.find((part) => part.id === id);
    if (found !== undefined) return found;
    throw new Refusal(
      404,
      `There is no part of this name. Parts: ${this.parts.map((each) => each.id).join(', ')}.`,
    );
  }

  #preset(name: string): PresetState {
    const found = this.presets().find((preset) => preset.name === name);
    if (found !== undefined) return found;
    throw new Refusal(404, oneOf('There is no such preset', this.#presets));
  }

  #removeWhere(holds: (fault: PlannedFault) => boolean): number {
    return this.parts.reduce((sum, { faults }) => sum + faults.remove(holds), 0);
  }
}

function operationOf(part: BoardPart, operation: string | undefined): RegExp {
  if (operation === undefined) throw new Refusal(400, 'Give a path or an operation.');
  const found = Object.entries(part.operations).find(([name]) => name === operation)?.[1];
  if (found === undefined) throw new Refusal(400, oneOf(`${part.id} has no such operation`, part.operations));
  return found;
}

function expressionOf(path: string, operation: string | undefined): RegExp {
  if (operation !== undefined) throw new Refusal(400, 'Give a path or an operation, not both.');
  try {
    return new RegExp(path);
  } catch {
    throw new Refusal(400, 'path is not a regular expression.');
  }
}

function requireLogin({ logins }: Action, login: string | undefined): void {
  if (logins.length === 0 && login !== undefined)
    throw new Refusal(400, 'This action does not take a login.');
  if (logins.length > 0 && !logins.includes(login ?? ''))
    throw new Refusal(400, `login must be one of ${logins.join(', ')}.`);
}

function oneOf(sentence: string, known: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(known);
  return names.length === 0 ? `${sentence}; it has none.` : `${sentence}. Known: ${names.join(', ')}.`;
}
