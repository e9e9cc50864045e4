import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../lib/http.ts';
import type { Board, FaultState, PresetState } from './board.ts';
import { readChosen, readPlan } from './bodies.ts';
import { route, type Routes } from './routes.ts';

const ROUTES: Routes<{ readonly board: Board }> = {
  'GET /faults': ({ board, response }) => {
    sendJson(response, 200, stateOf(board));
  },
  'POST /faults': async ({ board, request, response }) => {
    const { id } = board.plan(await readPlan(request));
    sendJson(response, 201, { id });
  },
  'DELETE /faults': ({ board, response }) => {
    board.clear();
    response.writeHead(204).end();
  },
  'DELETE /faults/:': ({ board, response, captured: [id = ''] }) => {
    board.remove(id);
    response.writeHead(204).end();
  },
  'PUT /faults/presets/:': ({ board, response, captured: [name = ''] }) => {
    sendJson(response, 200, presetOf(board.switchPreset(name, true)));
  },
  'DELETE /faults/presets/:': ({ board, response, captured: [name = ''] }) => {
    board.switchPreset(name, false);
    response.writeHead(204).end();
  },
  'POST /faults/actions/:/:': async ({ board, request, response, captured: [part = '', action = ''] }) => {
    board.act(part, action, await readChosen(request));
    response.writeHead(204).end();
  },
};

export function answerApi(board: Board, request: IncomingMessage, response: ServerResponse): Promise<void> {
  return route(ROUTES, { board }, request, response);
}

function stateOf(board: Board): object {
  return {
    parts: board.parts.map(({ id, title, url, faults, operations, actions }) => ({
      id,
      title,
      url,
      requests: faults.requests,
      operations: Object.keys(operations),
      actions: Object.keys(actions),
    })),
    faults: board.faults().map(faultOf),
    presets: board.presets().map(presetOf),
  };
}

/** `remaining` is null for a fault that applies to every further request. */
function faultOf({ part, planned }: FaultState): object {
  const { id, path, fault, remaining, met, plannedBy } = planned;
  return {
    id,
    part: part.id,
    path: path.source,
    fault,
    remaining: Number.isFinite(remaining) ? remaining : null,
    met,
    ...(plannedBy !== undefined && { plannedBy }),
  };
}

function presetOf({ name, title, see, isOn, met }: PresetState): object {
  return { name, title, see, isOn, met };
}
