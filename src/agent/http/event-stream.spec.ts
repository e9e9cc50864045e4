import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { NumberedEvent } from '../events/index.js';
import { sendEventStream } from './event-stream.js';

const HEARTBEAT = ': still here\n\n';
const event = (name: string): NumberedEvent =>
  ({ id: 7, event: { type: 'CUSTOM', name, value: 1 } }) as unknown as NumberedEvent;
const sent = (name: string): string => `id: 7\ndata: {"type":"CUSTOM","name":"${name}","value":1}\n\n`;

/** A response whose reader is told when to read, as Node's own behaves. */
class FakeResponse extends EventEmitter {
  readonly headers = new Map<string, unknown>();
  readonly written: string[] = [];
  status: number | undefined;
  ended = false;
  destroyed = false;
  writableNeedDrain = false;
  /** Nothing that is written is read. */
  isFull = false;

  setHeader(name: string, value: unknown): void {
    this.headers.set(name, value);
  }

  writeHead(status: number, headers: object): void {
    this.status = status;
    for (const [name, value] of Object.entries(headers)) this.headers.set(name, value);
  }

  write(text: string): boolean {
    this.written.push(text);
    this.writableNeedDrain = this.isFull;
    return !this.isFull;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }

  /** Its reader has read all. */
  drain(): void {
    this.writableNeedDrain = false;
    this.emit('drain');
  }
}

/** Events that a test sends one by one. */
class Events implements AsyncIterable<NumberedEvent> {
  /** How many were asked for. */
  asked = 0;
  #next = Promise.withResolvers<IteratorResult<NumberedEvent>>();

  async send(name: string): Promise<void> {
    await this.#settle({ done: false, value: event(name) });
  }

  async end(): Promise<void> {
    await this.#settle({ done: true, value: undefined });
  }

  async fail(error: Error): Promise<void> {
    this.#next.reject(error);
    await setImmediate();
  }

  [Symbol.asyncIterator](): AsyncIterator<NumberedEvent> {
    return {
      next: () => {
        this.asked += 1;
        return this.#next.promise;
      },
    };
  }

  async #settle(result: IteratorResult<NumberedEvent>): Promise<void> {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve(result);
    await setImmediate();
  }
}

describe('an event stream', () => {
  let raw: FakeResponse;
  let events: Events;
  let ending: AbortController;
  let hijacked: number;
  let stream: { readonly done: Promise<void>; isDone: boolean; failure: unknown };

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    [raw, events, ending, hijacked] = [new FakeResponse(), new Events(), new AbortController(), 0];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const start = (headers: Readonly<Record<string, unknown>> = {}): void => {
    const reply = {
      raw,
      hijack: () => {
        hijacked += 1;
      },
      getHeaders: () => headers,
    } as unknown as FastifyReply;
    const state = { isDone: false, failure: undefined as unknown };
    const done = sendEventStream(reply, events, ending.signal).then(
      () => {
        state.isDone = true;
      },
      (error: unknown) => {
        state.failure = error;
      },
    );
    stream = Object.assign(state, { done });
  };
  const pass = async (milliseconds: number): Promise<void> => {
    jest.advanceTimersByTime(milliseconds);
    await setImmediate();
  };

  it('takes the reply out of the hands of the framework, with the headers that it has', () => {
    start({ 'x-request-id': 'r', vary: ['a', 'b'], absent: undefined });
    expect(hijacked).toBe(1);
    expect(raw.status).toBe(200);
    expect(Object.fromEntries(raw.headers)).toEqual({
      'x-request-id': 'r',
      vary: ['a', 'b'],
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    });
  });

  it('sends each event as it comes, and ends after the last', async () => {
    start();
    await events.send('a');
    expect(raw.written).toEqual([sent('a')]);
    await events.send('b');
    expect(raw.written).toEqual([sent('a'), sent('b')]);
    expect(raw.ended).toBe(false);
    await events.end();
    expect(raw.ended).toBe(true);
    expect(stream.isDone).toBe(true);
  });

  it('sends a comment every ten seconds, and none after its end', async () => {
    start();
    await pass(9_999);
    expect(raw.written).toEqual([]);
    await pass(1);
    expect(raw.written).toEqual([HEARTBEAT]);
    await pass(10_000);
    expect(raw.written).toEqual([HEARTBEAT, HEARTBEAT]);
    await events.end();
    await pass(60_000);
    expect(raw.written).toHaveLength(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends, and sends no more comments, when the events fail', async () => {
    start();
    const error = new Error('broken');
    await events.fail(error);
    expect(stream.failure).toBe(error);
    expect(raw.ended).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('reads the events no further where the client has gone', async () => {
    start();
    await events.send('a');
    raw.destroy();
    await events.send('b');
    await events.send('c');
    await events.end();
    expect(raw.written).toEqual([sent('a')]);
    expect(events.asked).toBe(2);
    expect(stream.isDone).toBe(true);
  });

  describe('to a slow client', () => {
    beforeEach(async () => {
      start();
      raw.isFull = true;
      await events.send('a');
    });

    it('waits until the client has read on', async () => {
      await events.send('b');
      expect(events.asked).toBe(1);
      raw.isFull = false;
      raw.drain();
      await setImmediate();
      expect(events.asked).toBe(2);
    });

    it('sends no comments that would have to wait', async () => {
      await pass(10_000);
      expect(raw.written).toEqual([sent('a')]);
      raw.drain();
      await pass(10_000);
      expect(raw.written).toEqual([sent('a'), HEARTBEAT]);
    });

    it('goes on when the client has left', async () => {
      raw.destroy();
      await setImmediate();
      expect(events.asked).toBe(2);
      await events.end();
      expect(stream.isDone).toBe(true);
    });

    it('goes on when the connection breaks', async () => {
      raw.emit('error', new Error('ECONNRESET'));
      await setImmediate();
      expect(events.asked).toBe(2);
      expect(stream.failure).toBeUndefined();
    });

    it('lets the client go that reads nothing for a minute', async () => {
      await pass(59_999);
      expect(raw.destroyed).toBe(false);
      expect(events.asked).toBe(1);
      await pass(1);
      expect(raw.destroyed).toBe(true);
      expect(events.asked).toBe(2);
    });

    it('counts the minute anew after the client has read on', async () => {
      await pass(59_000);
      raw.drain();
      await setImmediate();
      await events.send('b');
      await pass(59_000);
      expect(raw.destroyed).toBe(false);
    });

    it('does not let a client go that has read on', async () => {
      raw.drain();
      await setImmediate();
      await pass(120_000);
      expect(raw.destroyed).toBe(false);
    });

    it('does not wait when the run is to end early', async () => {
      ending.abort();
      await setImmediate();
      expect(events.asked).toBe(2);
      expect(raw.destroyed).toBe(false);
      await events.send('b');
      expect(raw.written).toEqual([sent('a'), sent('b')]);
      expect(events.asked).toBe(3);
    });

    it.each(['drain', 'close', 'error'])('listens for %s no more when it goes on', async (name) => {
      raw.drain();
      await setImmediate();
      expect(raw.listenerCount(name)).toBe(0);
    });
  });
});
