import type { IncomingMessage, ServerResponse } from 'node:http';
import { urlOf } from '../lib/http.ts';
import { Refusal } from './refusal.ts';

export interface Routed {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The parts of the path that the pattern of the route captures. */
  readonly captured: readonly string[];
}

/** A method and a pattern of the path, such as `PUT /faults/presets/:`; a colon stands for one segment. */
export type Routes<Subject> = Readonly<Record<string, (routed: Routed & Subject) => Promise<void> | void>>;

/** @throws Refusal when no route fits */
export async function route<Subject>(
  routes: Routes<Subject>,
  subject: Subject,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const line = `${request.method ?? ''} ${urlOf(request).pathname}`;
  for (const [pattern, run] of Object.entries(routes)) {
    const match = new RegExp(`^${pattern.replaceAll(':', '([a-zA-Z0-9_-]+)')}$`).exec(line);
    if (match === null) continue;
    await run({ ...subject, request, response, captured: match.slice(1) });
    return;
  }
  throw new Refusal(404, 'The fault board has no such address. GET /faults shows what it has.');
}
