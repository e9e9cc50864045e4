import { describe, expect, it, jest } from '@jest/globals';
import { serverSentEvents, type ServerSentEvent } from './event-stream.ts';

const stream = (...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = async (...chunks: readonly Uint8Array[]): Promise<readonly ServerSentEvent[]> => {
  const all: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(stream(...chunks))) all.push(event);
  return all;
};

describe('serverSentEvents', () => {
  it('reads ids and data, and leaves comments out', async () => {
    const text = 'id: 1\ndata: {"a":1}\n\n: still here\n\nid: 2\ndata: {"a":\ndata: 2}\n\n';
    expect(await read(bytes(text))).toEqual([
      { id: '1', data: '{"a":1}' },
      { id: '2', data: '{"a":\n2}' },
    ]);
  });

  it('reads them in whatever pieces they come', async () => {
    const text = bytes('id: 1\r\ndata: "é"\r\n\r\nid: 2\r\ndata: "b"\r\n\r\n');
    const expected = [
      { id: '1', data: '"é"' },
      { id: '2', data: '"b"' },
    ];
    for (let size = 1; size <= text.length; size += 1) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
        text.slice(n * size, (n + 1) * size),
      );
      expect(await read(...chunks)).toEqual(expected);
    }
  });

  it.each(['\u2028', '\u2029', '\u0085'])('keeps %j, which is no end of a line here', async (character) => {
    expect(await read(bytes(`id: 1\ndata: "a${character}b"\n\n`))).toEqual([
      { id: '1', data: `"a${character}b"` },
    ]);
  });

  it('ends where the connection is silent', async () => {
    jest.useFakeTimers();
    const silent = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes('data: 1\n\n'));
      },
    });
    const all: string[] = [];
    const reading = (async () => {
      for await (const { data } of serverSentEvents(silent)) all.push(data);
    })();
    await jest.advanceTimersByTimeAsync(29_000);
    expect(await Promise.race([reading.then(() => 'ended'), Promise.resolve('open')])).toBe('open');
    await jest.advanceTimersByTimeAsync(2_000);
    await reading;
    expect(all).toEqual(['1']);
    jest.useRealTimers();
  });

  it('gives no event that was cut off', async () => {
    expect(await read(bytes('id: 1\ndata: 1\n\nid: 2\ndata: 2'))).toEqual([{ id: '1', data: '1' }]);
  });
});
