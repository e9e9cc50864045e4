/** An event of a stream of server-sent events: its id, and its data as it was sent. */
export interface ServerSentEvent {
  readonly id: string | undefined;
  readonly data: string;
}

/** The service sends a comment every ten seconds. A connection that is silent for longer is dead. */
const SILENCE_MS = 30_000;

/**
 * The events of a stream, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them; comments are left out.
 * An event that the end of the stream cuts off is none. A stream that has been silent for half a minute ends.
 */
export async function* serverSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await withinTime(reader.read());
      if (done) return;
      const blocks = `${rest}${value}`.split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parsed(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

const SILENT = { done: true, value: undefined } as const;

async function withinTime(
  read: Promise<ReadableStreamReadResult<string>>,
): Promise<ReadableStreamReadResult<string>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<typeof SILENT>((resolve) => {
    timer = setTimeout(resolve, SILENCE_MS, SILENT);
  });
  try {
    return await Promise.race([read, silent]);
  } finally {
    clearTimeout(timer);
  }
}

function parsed(block: string): ServerSentEvent | undefined {
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    // A value can have characters that end a line for a regular expression, and not for a stream of events.
    const [, name, value = ''] = /^(\w+):? ?([^]*)$/.exec(line) ?? [];
    if (name === 'id') id = value;
    if (name === 'data') data.push(value);
  }
  return data.length === 0 ? undefined : { id, data: data.join('\n') };
}
