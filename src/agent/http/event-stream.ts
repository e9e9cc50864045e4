import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import type { NumberedEvent } from '../events/index.js';

/** The load balancer cuts what is silent for 60 s; a comment line keeps the stream alive. */
const HEARTBEAT_MS = 10_000;
const HEARTBEAT = ': still here\n\n';

/** A client that reads nothing for this long is as good as gone; the load balancer would think so too. */
const STALLED_MS = 60_000;

/**
 * Sends events as server-sent events, and resolves when the last one is out, or when nobody listens any more.
 * @param ending aborts when the run is to end early
 */
export async function sendEventStream(
  reply: FastifyReply,
  events: AsyncIterable<NumberedEvent>,
  ending: AbortSignal,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
  const heartbeat = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(HEARTBEAT);
  }, HEARTBEAT_MS);
  try {
    for await (const { id, event } of events) {
      if (raw.destroyed) break;
      const text = `id: ${String(id)}\ndata: ${JSON.stringify(event)}\n\n`;
      if (!raw.write(text)) await drained(raw, ending);
    }
  } finally {
    clearInterval(heartbeat);
    raw.end();
  }
}

/** Waits until a slow client has read on, or is gone. One that reads nothing at all is let go. */
async function drained(raw: FastifyReply['raw'], ending: AbortSignal): Promise<void> {
  const listening = new AbortController();
  // A run that is to end early does not wait for its reader.
  const signal = AbortSignal.any([listening.signal, ending]);
  const stalled = setTimeout(() => {
    raw.destroy();
  }, STALLED_MS);
  try {
    await Promise.race([once(raw, 'drain', { signal }), once(raw, 'close', { signal })]);
  } catch {
    // The connection broke, which the next write sees, or the run is ending.
  } finally {
    clearTimeout(stalled);
    listening.abort();
  }
}
