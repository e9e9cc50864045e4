import type { IncomingMessage, ServerResponse } from 'node:http';
import { FaultSwitch } from '../lib/faults.ts';
import { sendJson, serve, urlOf } from '../lib/http.ts';
import type { Listen, Part } from '../lib/part.ts';
import { answerControl, type Controlled } from '../control/control.ts';
import type { Inspector } from '../inspector/inspector.ts';
import { boardParts } from './board-part.ts';
import type { StartedParts } from '../parts.ts';
import { Board } from './board.ts';
import { answerApi } from './api.ts';
import { refusalPage } from './board-page.ts';
import { answerPage, sendPage } from './page-requests.ts';
import { Refusal } from './refusal.ts';
import { requireSameSite } from './same-site.ts';

/**
 * The fault board: the fault switches of every part, over HTTP under `/faults` and on a page; the inspector; and
 * what concerns the whole stack, under `/__stack`.
 */
export async function startFaultBoard(
  parts: StartedParts,
  listen: Listen,
  { control, inspector }: { readonly control: Controlled; readonly inspector: Inspector | undefined },
): Promise<Part> {
  const board = new Board(boardParts(parts));
  // The board does not fail on purpose.
  const faults = new FaultSwitch();
  const serving = await serve(
    (request, response) => answer({ board, control, inspector, name: listen.host }, request, response),
    faults,
    listen,
  );
  return { url: serving.url, faults, close: () => serving.close(), reset: () => Promise.resolve() };
}

interface Answering {
  readonly board: Board;
  readonly control: Controlled;
  readonly inspector: Inspector | undefined;
  readonly name: string | undefined;
}

async function answer(
  { board, control, inspector, name }: Answering,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = urlOf(request);
  const isControl = /^\/__stack(\/|$)/.test(pathname);
  const isOfTheApi = isControl || pathname === '/faults' || pathname.startsWith('/faults/');
  try {
    requireSameSite(request, pathname, name);
    if (inspector !== undefined && /^\/inspector(\/|$)/.test(pathname)) {
      await inspector.answer(request, response);
      return;
    }
    if (isControl) {
      await answerControl(control, request, response);
      return;
    }
    await (isOfTheApi ? answerApi : answerPage)(board, request, response);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    request.resume();
    if (isOfTheApi) sendJson(response, error.status, { message: error.message });
    else sendPage(response, error.status, refusalPage(error));
  }
}
