import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import {
  boundOnce,
  forgedToken,
  replayedSession,
  swappedBrowser,
  type Attacked,
  type Witness,
} from '../lib/attacks.ts';
import { sendJson, urlOf } from '../lib/http.ts';
import type { Targets } from '../load-balancer/proxy.ts';
import { STYLE } from './page/diagram.ts';
import type { Recorder } from './recorder.ts';

const PAGE = join(import.meta.dirname, 'page');
/** Scripts and styles are files of the page; the drawing is made of elements. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const CSS = 'text/css; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

interface Step {
  readonly title: string;
  readonly event: string;
  readonly checks: { readonly what: string; readonly holds: boolean }[];
}

/** What the inspector needs of the stack. */
export interface Inspected extends Attacked {
  readonly loadBalancer: Attacked['loadBalancer'] & { targets(): Targets };
}

/** A drawing of what the parts of the stack ask each other, and attacks that can be watched. */
export class Inspector {
  readonly #recorder: Recorder;
  readonly #stack: Inspected;
  #isAttacking = false;

  constructor(recorder: Recorder, stack: Inspected) {
    [this.#recorder, this.#stack] = [recorder, stack];
  }

  /** Answers a request under `/inspector`. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = urlOf(request);
    const line = `${request.method ?? ''} ${pathname}`;
    const [, name] = /^POST \/inspector\/attacks\/([a-z-]+)$/.exec(line) ?? [];
    if (name !== undefined) await this.#attack(name, response);
    else if (line === 'GET /inspector/hops')
      sendJson(response, 200, this.#recorder.hops(Number(searchParams.get('since') ?? 0)));
    else if (line === 'POST /inspector/clear') {
      this.#recorder.clear();
      response.writeHead(204).end();
    } else sendFile(line, response);
  }

  /** One at a time: each compares the vault before and after. */
  async #attack(name: string, response: ServerResponse): Promise<void> {
    const play = this.#attacks()[name];
    if (play === undefined) {
      sendJson(response, 404, { message: 'There is no such attack.' });
      return;
    }
    if (this.#isAttacking) {
      sendJson(response, 409, { message: 'Another attack is being played. Wait for its end.' });
      return;
    }
    this.#isAttacking = true;
    const steps: Step[] = [];
    const witness: Witness = {
      step: (_letter, title, event) => steps.push({ title, event, checks: [] }),
      check: (what, holds) => steps.at(-1)?.checks.push({ what, holds }),
    };
    try {
      await play(witness);
      sendJson(response, 200, { steps });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      sendJson(response, 502, { message: `The attack could not be played. ${message}`, steps });
    } finally {
      this.#isAttacking = false;
    }
  }

  #attacks(): Readonly<Record<string, (witness: Witness) => Promise<void>>> {
    const stack = this.#stack;
    return {
      'swapped-browser': (witness) => swappedBrowser(stack, witness),
      replay: async (witness) => {
        await replayedSession(stack, await boundOnce(stack, 'carol@example.com', 'carol-octo'), witness);
      },
      'forged-token': (witness) =>
        forgedToken(
          stack,
          (role, path, headers) => {
            const [base] = stack.loadBalancer.targets()[role] ?? [];
            if (base === undefined) throw new Error('The roles do not run.');
            return this.#recorder.fetch(role, base + path, { headers });
          },
          witness,
        ),
    };
  }
}

const FILES: Readonly<Record<string, () => readonly [string, string]>> = {
  'GET /inspector': () => [HTML, text('index.html')],
  'GET /inspector/inspector.css': () => [CSS, text('inspector.css')],
  'GET /inspector/diagram.css': () => [CSS, STYLE],
  'GET /inspector/main.ts': () => [SCRIPT, script('main.ts')],
  'GET /inspector/diagram.ts': () => [SCRIPT, script('diagram.ts')],
  'GET /inspector/hop.ts': () => [SCRIPT, script('hop.ts')],
};

function sendFile(line: string, response: ServerResponse): void {
  const found = Object.hasOwn(FILES, line) ? FILES[line]?.() : undefined;
  if (found === undefined) {
    sendJson(response, 404, { message: 'The inspector has no such address.' });
    return;
  }
  const [type, content] = found;
  response.writeHead(200, {
    'content-type': type,
    'content-security-policy': POLICY,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  response.end(content);
}

function text(name: string): string {
  return readFileSync(join(PAGE, name), 'utf8');
}

/** The page's sources are TypeScript, of which the browser gets the JavaScript. */
function script(name: string): string {
  return stripTypeScriptTypes(text(name));
}
