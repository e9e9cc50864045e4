import { untilAborted } from '../../common/deadline/index.js';

/** The events of something that goes on by itself. Any number of readers can read them from their beginning, at any time. */
export class RunLog<Event> {
  readonly #events: Event[] = [];
  /** Whoever waits for the next event. */
  #changed = Promise.withResolvers<undefined>();
  #hasEnded = false;

  /** Reads all events at once, whether somebody reads the log or not. */
  constructor(events: AsyncIterable<Event>, onEnd: () => void = () => undefined) {
    void this.#record(events).finally(onEnd);
  }

  /** The events so far. */
  get events(): readonly Event[] {
    return this.#events;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** All events from the first one on, until they end or the reader has gone. */
  async *read(gone: AbortSignal): AsyncGenerator<Event, void, undefined> {
    for (let at = 0; !gone.aborted;) {
      const event = this.#events[at];
      if (event !== undefined) {
        at += 1;
        yield event;
      } else if (this.#hasEnded) return;
      else await untilAborted(gone, () => this.#changed.promise).catch(() => undefined);
    }
  }

  async #record(events: AsyncIterable<Event>): Promise<void> {
    for await (const event of events) {
      this.#events.push(event);
      this.#wake();
    }
    this.#hasEnded = true;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }
}
