import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { urlOf } from '../lib/http.ts';
import { stylesheet } from '../lib/page.ts';
import { readChosenInForm } from './bodies.ts';
import type { Board } from './board.ts';
import { BOARD_STYLE, boardPage } from './board-page.ts';
import { route, type Routes } from './routes.ts';

/** The page has no script. Its one style element is allowed by its digest. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(stylesheet(BOARD_STYLE)).digest('base64')}'`,
  'img-src data:',
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** Each form of the page posts here, and the browser comes back to the control that it pressed. */
const ROUTES: Routes<{ readonly board: Board }> = {
  'GET /': ({ board, request, response }) => {
    sendPage(response, 200, boardPage(board, urlOf(request).searchParams.get('at') ?? undefined));
  },
  'POST /page/presets/:/(on|off)': ({ board, response, captured: [name = '', to] }) => {
    board.switchPreset(name, to === 'on');
    comeBackTo(response, `preset-${name}`);
  },
  'POST /page/faults/:/remove': ({ board, response, captured: [id = ''] }) => {
    board.remove(id);
    comeBackTo(response, 'planned');
  },
  'POST /page/clear': ({ board, response }) => {
    board.clear();
    comeBackTo(response, 'planned');
  },
  'POST /page/actions/:/:': async ({ board, request, response, captured: [part = '', action = ''] }) => {
    board.act(part, action, await readChosenInForm(request));
    comeBackTo(response, `action-${part}-${action}`);
  },
};

export function answerPage(board: Board, request: IncomingMessage, response: ServerResponse): Promise<void> {
  return route(ROUTES, { board }, request, response);
}

export function sendPage(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': POLICY,
    // Without a referrer, a browser would send the forms with the origin "null".
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  });
  response.end(html);
}

function comeBackTo(response: ServerResponse, control: string): void {
  response.writeHead(303, { location: `/?at=${control}` }).end();
}
