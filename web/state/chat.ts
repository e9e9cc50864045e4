import type { AGUIEvent } from '@ag-ui/core';
import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { api, Problem, type ConversationView } from '../net/api.ts';
import { runEvents, type RunInput, type RunPlace } from '../net/run-events.ts';
import { texts } from '../texts.ts';
import { itemsOf, withEvent, type Item } from './items.ts';

/** What a run waits for, as the user is shown it. */
export interface Interrupt {
  readonly id: string;
  readonly reason: string;
  readonly message?: string;
  readonly expiresAt?: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status: 'resolved' | 'cancelled';
  readonly payload?: unknown;
}

/** What other tabs of this browser are told. */
export type TabMessage =
  | {
      readonly type: 'run_started';
      readonly sessionId: string;
      readonly runId: string;
      readonly text?: string;
    }
  | {
      readonly type: 'authorization_complete' | 'authorization_denied';
      readonly sessionId: string;
      readonly interruptId: string;
    };

/** What a chat tells the page around it. */
export interface ChatEvents {
  /** A run has ended. @param accounts whether it may have changed which accounts are connected */
  readonly ended: (accounts: boolean) => void;
  readonly failed: (error: unknown) => void;
  readonly tellTabs: (message: TabMessage) => void;
  /** The conversation has got its first message, so that its address can be kept. */
  readonly begun: (id: string) => void;
  /** A provider's name for people. */
  readonly nameOf: (provider: string) => string;
}

/** Outcomes of a turn whose message can be sent again. */
const BROKEN = new Set(['cancelled', 'error', 'abandoned']);

interface Running extends RunPlace {
  readonly abort: AbortController;
}

/** One conversation, as this page shows it. */
export class Chat {
  readonly id: string;
  readonly items = signal<readonly Item[]>([]);
  readonly interrupts = signal<readonly Interrupt[]>([]);
  /** The answers to interrupts so far. They are sent when there is one for each. */
  readonly answers = signal<ReadonlyMap<string, Answer>>(new Map());
  /** The interrupts whose consent was denied at the provider. */
  readonly denied = signal<ReadonlySet<string>>(new Set());
  /** Messages that wait until the answer before them is complete. */
  readonly queue = signal<readonly string[]>([]);
  /** A message that could not be sent, to be written on. */
  readonly unsent = signal<string | undefined>(undefined);
  /** The message whose answer broke off, to be sent again. */
  readonly again = signal<string | undefined>(undefined);
  readonly isConnectionLost = signal(false);
  readonly hasEarlier: ReadonlySignal<boolean>;
  readonly isRunning: ReadonlySignal<boolean>;
  /** It has a first message, and with it an address. */
  readonly isBegun: ReadonlySignal<boolean>;
  readonly #events: ChatEvents;
  readonly #running: Signal<Running | undefined> = signal(undefined);
  readonly #earlierFrom = signal<number | undefined>(undefined);
  #isOpened = false;

  constructor(id: string, events: ChatEvents) {
    this.id = id;
    this.#events = events;
    this.hasEarlier = computed(() => this.#earlierFrom.value !== undefined);
    this.isRunning = computed(() => this.#running.value !== undefined);
    this.isBegun = computed(() => this.items.value.length > 0);
  }

  /** Shows what is stored, and joins the run in progress, at whatever task and from whatever tab it was begun. */
  async open(): Promise<void> {
    try {
      const view = await api.conversation(this.id);
      if (this.#running.value === undefined) this.#show(view);
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'session_not_found')) this.#events.failed(error);
    }
    this.#isOpened = true;
  }

  async showEarlier(): Promise<void> {
    const before = this.#earlierFrom.value;
    if (before === undefined) return;
    await this.#guarded(async () => {
      const { turns, nextBefore } = await api.conversation(this.id, before);
      batch(() => {
        this.items.value = [...itemsOf(turns), ...this.items.value];
        this.#earlierFrom.value = nextBefore;
      });
    });
  }

  /** Sends a message, or lets it wait until the answer before it is complete. */
  send(text: string): void {
    if (this.#running.value !== undefined) {
      this.queue.value = [...this.queue.value, text];
      return;
    }
    if (this.items.value.length === 0) this.#events.begun(this.id);
    this.#addUserMessage(text);
    void this.#run(crypto.randomUUID(), { message: text }, text);
  }

  /** The user's latest message, to be written anew. */
  lastMessage(): string | undefined {
    return this.items.value.findLast((item) => item.kind === 'user')?.text;
  }

  unqueue(index: number): void {
    this.queue.value = this.queue.value.filter((_, each) => each !== index);
  }

  /** Answers an interrupt. When all are answered, the run goes on. */
  answer(interruptId: string, answer: Answer): void {
    const answers = new Map(this.answers.value).set(interruptId, answer);
    this.answers.value = answers;
    const ids = this.interrupts.value.map(({ id }) => id);
    if (ids.length === 0 || !ids.every((id) => answers.has(id))) return;
    const resume = ids.map((id) => ({
      interruptId: id,
      ...(answers.get(id) ?? { status: 'cancelled' as const }),
    }));
    // Every tab that shows this conversation gives the run the same name, so that it is begun once.
    void this.#run(`resume:${ids[0] ?? ''}`.slice(0, 128), { resume });
  }

  async stop(): Promise<void> {
    const running = this.#running.value;
    if (running !== undefined) await this.#guarded(() => api.stopRun(running.runId, this.id));
  }

  /** Another tab has begun a run, or a page at the end of a consent tells its result. */
  hear(message: TabMessage): void {
    if (message.sessionId !== this.id) return;
    if (message.type === 'run_started') {
      if (this.#running.value !== undefined) return;
      if (message.text !== undefined) this.#addUserMessage(message.text);
      void this.#run(message.runId, undefined);
      return;
    }
    const { interruptId, type } = message;
    if (!this.interrupts.value.some(({ id }) => id === interruptId)) return;
    if (type === 'authorization_complete') this.answer(interruptId, { status: 'resolved' });
    else this.denied.value = new Set(this.denied.value).add(interruptId);
  }

  /** Somebody may have used the conversation elsewhere. */
  async refresh(): Promise<void> {
    if (this.#isOpened && this.#running.value === undefined && this.items.value.length > 0) await this.open();
  }

  /** The page shows another conversation. The run goes on without it. */
  close(): void {
    this.#running.value?.abort.abort();
  }

  #show(view: ConversationView): void {
    batch(() => {
      this.items.value = itemsOf(view.turns);
      this.#earlierFrom.value = view.nextBefore;
      this.interrupts.value = view.interrupts as readonly Interrupt[];
      this.answers.value = new Map();
      const last = view.turns.at(-1);
      const isBroken = last !== undefined && BROKEN.has(last.outcome);
      this.again.value = isBroken ? this.lastMessage() : undefined;
      if (view.running?.message !== undefined) this.#addUserMessage(view.running.message);
    });
    if (view.running !== undefined) void this.#run(view.running.runId, undefined);
  }

  #addUserMessage(text: string): void {
    this.items.value = [...this.items.value, { kind: 'user', id: crypto.randomUUID(), text }];
  }

  /** Plays a run to its end. */
  async #run(runId: string, input: RunInput | undefined, text?: string): Promise<void> {
    let isBegun = false;
    const abort = new AbortController();
    const place = { conversation: this.id, runId };
    batch(() => {
      this.#running.value = { ...place, abort };
      this.interrupts.value = [];
      this.answers.value = new Map();
      this.denied.value = new Set();
      this.again.value = undefined;
    });
    try {
      const options = {
        signal: abort.signal,
        onConnection: (isLost: boolean) => {
          this.isConnectionLost.value = isLost;
        },
      };
      for await (const event of runEvents(place, input, options)) {
        // Another tab can join the run from now on.
        if (!isBegun && input !== undefined)
          this.#events.tellTabs({
            type: 'run_started',
            sessionId: this.id,
            runId,
            ...(text !== undefined && { text }),
          });
        isBegun = true;
        this.#apply(event);
      }
    } catch (error) {
      if (!abort.signal.aborted) this.#failed(error);
      if (!isBegun && text !== undefined) this.#takeBack(text);
    }
    batch(() => {
      this.#running.value = undefined;
      this.isConnectionLost.value = false;
    });
    if (abort.signal.aborted) return;
    this.#events.ended(input !== undefined && 'resume' in input);
    const [next, ...waiting] = this.queue.value;
    if (next === undefined || this.interrupts.value.length > 0) return;
    this.queue.value = waiting;
    this.send(next);
  }

  /** A message that was not taken goes back to where it was written. */
  #takeBack(text: string): void {
    const last = this.items.value.findLastIndex((item) => item.kind === 'user' && item.text === text);
    this.items.value = this.items.value.filter((_, index) => index !== last);
    this.unsent.value = text;
  }

  #apply(event: AGUIEvent): void {
    this.items.value = withEvent(this.items.value, event);
    if (event.type === 'RUN_ERROR') {
      const { code = '', message } = event;
      const metadata = event.metadata as { readonly requestId?: string } | undefined;
      this.#addError(code, message, metadata?.requestId);
      this.again.value = this.lastMessage();
    }
    if (event.type === 'CUSTOM' && event.name === 'notice') {
      const { provider, scopes } = event.value as {
        readonly provider: string;
        readonly scopes: readonly string[];
      };
      this.#addNote(texts.widerScopes(this.#events.nameOf(provider), scopes.join(', ')));
    }
    if (event.type !== 'RUN_FINISHED') return;
    const { outcome } = event as unknown as {
      readonly outcome?: { readonly type: string; readonly interrupts?: readonly Interrupt[] };
    };
    if (outcome?.type === 'cancelled') {
      this.#addNote(texts.outcomes.cancelled ?? '');
      this.again.value = this.lastMessage();
    }
    this.interrupts.value = outcome?.interrupts ?? [];
  }

  #failed(error: unknown): void {
    if (error instanceof Problem) this.#addError(error.code, error.message, error.requestId);
    else this.#events.failed(error);
  }

  #addError(code: string, text: string, requestId: string | undefined): void {
    this.items.value = [
      ...this.items.value,
      { kind: 'error', id: crypto.randomUUID(), code, text, requestId },
    ];
  }

  #addNote(text: string): void {
    this.items.value = [...this.items.value, { kind: 'note', id: crypto.randomUUID(), text }];
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failed(error);
    }
  }
}
