import type { IncomingMessage, ServerResponse } from 'node:http';
import { FaultSwitch } from '../lib/faults.ts';
import { sendJson, serve, urlOf } from '../lib/http.ts';
import type { Listen, Part } from '../lib/part.ts';
import type { Inspector } from '../inspector/inspector.ts';
import { boardParts } from './board-part.ts';
import type { StartedParts } from '../parts.ts';
import { Board } from './board.ts';
import { answerApi } from './api.ts';
import { refusalPage } from './board-page.ts';
import { answerPage, sendPage } from './page-requests.ts';
import { Refusal } from './refusal.ts';
import { requireSameSite } from './same-site.ts';

/** The fault board: the fault switches of every part, over HTTP under `/faults` and on a page; and the inspector. */
export async function startFaultBoard(
  parts: StartedParts,
  listen: Listen,
  inspector?: Inspector,
): Promise<Part> {
  const board = new Board(boardParts(parts));
  // The board does not fail on purpose.
  const faults = new FaultSwitch();
  const serving = await serve(
    (request, response) => answer({ board, inspector }, request, response),
    faults,
    listen,
  );
  return { url: serving.url, faults, close: () => serving.close(), reset: () => Promise.resolve() };
}

async function answer(
  { board, inspector }: { readonly board: Board; readonly inspector: Inspector | undefined },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = urlOf(request);
  const isOfTheApi = pathname === '/faults' || pathname.startsWith('/faults/');
  try {
    requireSameSite(request, pathname);
    if (inspector !== undefined && /^\/inspector(\/|$)/.test(pathname)) {
      await inspector.answer(request, response);
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
