import type { AGUIEvent } from '@ag-ui/core';
import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { api, Problem, type ConversationView } from '../net/api.ts';
import { runEvents, type RunInput } from '../net/run-events.ts';
import { texts } from '../texts.ts';
import type { Answer, ChatEvents, Ending, Interrupt, Phase, TabMessage } from './chat-types.ts';
import { itemsOf, withEvent, type Item } from './items.ts';

interface Running {
  readonly runId: string;
  readonly abort: AbortController;
}

interface Run {
  readonly runId: string;
  /** Absent where somebody else has begun the run. */
  readonly input?: RunInput;
  /** The user's message, where it is one of this page. */
  readonly text?: string;
}

/** Outcomes of a turn whose message can be sent again. */
const BROKEN = new Set(['cancelled', 'error', 'abandoned']);
/** Refusals that say that the conversation has gone on at another device or in another tab. */
const GONE_ON = new Set(['session_busy', 'run_id_used', 'interrupt_not_pending', 'run_not_found']);
const LONGEST_RUN_ID = 128;

/** One conversation, as this page shows it. */
export class Chat {
  readonly id: string;
  readonly phase: Signal<Phase>;
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
  readonly ending = signal<Ending | undefined>(undefined);
  readonly isConnectionLost = signal(false);
  readonly hasEarlier: ReadonlySignal<boolean>;
  readonly isRunning: ReadonlySignal<boolean>;
  readonly #events: ChatEvents;
  readonly #running: Signal<Running | undefined> = signal(undefined);
  readonly #earlierFrom = signal<number | undefined>(undefined);
  /** The runs that are shown, or were begun here. */
  readonly #played = new Set<string>();
  /** What is shown of the stored conversation, to see whether it has changed. */
  #shown = '';
  /** The run in progress has sent its first event. */
  #isBegun = false;
  #isClosed = false;

  constructor(id: string, phase: 'new' | 'loading', events: ChatEvents) {
    this.id = id;
    this.phase = signal(phase);
    this.#events = events;
    this.hasEarlier = computed(() => this.#earlierFrom.value !== undefined);
    this.isRunning = computed(() => this.#running.value !== undefined);
  }

  /** Whether something would be lost if nobody kept it: a run, or messages that wait. */
  get isBusy(): boolean {
    return this.#running.peek() !== undefined || this.queue.peek().length > 0;
  }

  /** Shows what is stored, and joins the run in progress, at whatever task and from whatever tab it was begun. */
  async open(): Promise<void> {
    try {
      const view = await api.conversation(this.id);
      if (!this.#isClosed) this.#take(view);
    } catch (error) {
      if (this.#isClosed) return;
      if (error instanceof Problem && error.code === 'session_not_found') this.#notFound();
      else {
        if (this.phase.value === 'loading') this.phase.value = 'failed';
        this.#events.failed(error);
      }
    }
    if (!this.#isClosed) this.#sendNext();
  }

  /** Somebody may have used the conversation elsewhere. */
  async refresh(): Promise<void> {
    if (this.phase.value !== 'new' && this.#running.value === undefined) await this.open();
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
    if (this.#running.value !== undefined || this.phase.value === 'loading') {
      this.queue.value = [...this.queue.value, text];
      return;
    }
    if (this.phase.value === 'new') this.#events.begun();
    this.#addUserMessage(text);
    void this.#run({ runId: crypto.randomUUID(), input: { message: text }, text });
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
    if (ids.length === 0 || this.#running.value !== undefined || !ids.every((id) => answers.has(id))) return;
    const resume = ids.map((interruptId) => ({
      interruptId,
      ...(answers.get(interruptId) ?? { status: 'cancelled' as const }),
    }));
    // Every tab that shows this conversation gives the run the same name, so that it is begun once.
    const runId = `resume:${ids[0] ?? ''}`.slice(0, LONGEST_RUN_ID);
    void this.#run({ runId, input: { resume } });
  }

  /** Stops the run in progress. A message that could not be sent yet is not sent. */
  async stop(): Promise<void> {
    const running = this.#running.value;
    if (running === undefined) return;
    const stopped = api.stopRun(running.runId, this.id);
    if (this.#isBegun) await this.#guarded(() => stopped);
    else {
      stopped.catch(() => undefined);
      running.abort.abort();
    }
  }

  /** Another tab has begun a run, or a page at the end of a consent tells its result. */
  hear(message: TabMessage): void {
    if (message.sessionId !== this.id) return;
    if (message.type === 'run_started') {
      const { runId, text } = message;
      if (this.#running.value !== undefined || this.#played.has(runId)) return;
      if (text !== undefined) this.#addUserMessage(text);
      void this.#run({ runId });
      return;
    }
    const { interruptId, type } = message;
    if (!this.interrupts.value.some(({ id }) => id === interruptId)) return;
    if (type === 'authorization_complete') this.answer(interruptId, { status: 'resolved' });
    else this.denied.value = new Set(this.denied.value).add(interruptId);
  }

  /** The page shows it no more, and keeps nothing of it. */
  close(): void {
    this.#isClosed = true;
    this.#running.value?.abort.abort();
  }

  #notFound(): void {
    if (this.phase.value === 'loading') this.phase.value = 'new';
    else if (this.phase.value === 'loaded') this.#events.gone();
  }

  #take(view: ConversationView): void {
    const { turns, interrupts, running } = view;
    const shown = shownOf(turns.at(-1)?.runId, interrupts);
    const mine = this.#running.value?.runId;
    const isFirst = this.phase.value !== 'loaded';
    if (!isFirst && (mine !== undefined || (shown === this.#shown && running === undefined))) return;
    const others = turns.filter(({ runId }) => runId !== mine);
    batch(() => {
      this.phase.value = 'loaded';
      this.#earlierFrom.value = view.nextBefore;
      this.items.value = [...itemsOf(others), ...(mine === undefined ? [] : this.items.value)];
      for (const { runId } of turns) this.#played.add(runId);
      if (mine !== undefined) return;
      this.#shown = shown;
      this.#takeInterrupts(view);
      const isBroken = BROKEN.has(turns.at(-1)?.outcome ?? '');
      this.again.value = isBroken ? this.lastMessage() : undefined;
      if (running?.message !== undefined) this.#addUserMessage(running.message);
    });
    if (mine === undefined && running !== undefined) void this.#run({ runId: running.runId });
  }

  /** Links are in the events alone, so what is known of an interrupt stays. */
  #takeInterrupts({ interrupts }: ConversationView): void {
    const known = new Map(this.interrupts.value.map((each) => [each.id, each]));
    const ids = new Set(interrupts.map(({ id }) => id));
    this.interrupts.value = interrupts.map((each) => known.get(each.id) ?? (each as Interrupt));
    this.answers.value = new Map([...this.answers.value].filter(([id]) => ids.has(id)));
  }

  #addUserMessage(text: string): void {
    this.items.value = [...this.items.value, { kind: 'user', id: crypto.randomUUID(), text }];
  }

  /** Plays a run to its end. */
  async #run(run: Run): Promise<void> {
    const { interrupts, denied } = this;
    const waiting = interrupts.value;
    const abort = new AbortController();
    this.#played.add(run.runId);
    this.#isBegun = false;
    batch(() => {
      this.#running.value = { runId: run.runId, abort };
      [interrupts.value, denied.value] = [[], new Set()];
      [this.answers.value, this.again.value, this.ending.value] = [new Map(), undefined, undefined];
    });
    const failure = await this.#play(run, abort.signal).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    batch(() => {
      this.#running.value = undefined;
      this.isConnectionLost.value = false;
      if (failure !== undefined && !this.#isBegun) this.#takeBack(run, waiting);
    });
    if (this.#isClosed) return;
    if (failure === undefined) this.phase.value = 'loaded';
    else await this.#explain(failure.error, abort.signal.aborted);
    await this.#afterResume(run);
    this.#events.ended(run.input !== undefined && 'resume' in run.input);
    if (failure === undefined) this.#sendNext();
  }

  async #play(run: Run, abort: AbortSignal): Promise<void> {
    const options = {
      signal: abort,
      onConnection: (isLost: boolean) => {
        this.isConnectionLost.value = isLost;
      },
    };
    for await (const event of runEvents({ conversation: this.id, runId: run.runId }, run.input, options)) {
      // Another tab can join the run from now on.
      if (!this.#isBegun && run.input !== undefined) this.#tellTabs(run);
      this.#isBegun = true;
      this.#apply(event, run.runId);
    }
  }

  #tellTabs({ runId, text }: Run): void {
    const told = { type: 'run_started', sessionId: this.id, runId } as const;
    this.#events.tellTabs({ ...told, ...(text !== undefined && { text }) });
  }

  /** A message that was not taken goes back to the box, and an answer to its card. */
  #takeBack({ text, input }: Run, waiting: readonly Interrupt[]): void {
    this.ending.value = 'failed';
    if (input !== undefined) this.interrupts.value = waiting;
    if (text === undefined) return;
    const last = this.items.value.findLastIndex((item) => item.kind === 'user' && item.text === text);
    this.items.value = this.items.value.filter((_, index) => index !== last);
    this.unsent.value = text;
  }

  async #explain(error: unknown, wasStopped: boolean): Promise<void> {
    if (wasStopped) return;
    if (!(error instanceof Problem)) this.#events.failed(error);
    else if (error.code === 'session_not_found') this.#events.gone();
    else if (GONE_ON.has(error.code)) {
      // The page does not show what is stored.
      this.#shown = '';
      await this.open();
      this.#addNote(texts.goneOn);
    } else this.#addError(error.code, error.message, error.requestId);
  }

  /** A paused run whose answer could not be taken to its end may be waiting still. */
  async #afterResume({ input }: Run): Promise<void> {
    const isOver = this.ending.value === 'complete' || this.ending.value === 'needed';
    if (isOver || input === undefined || !('resume' in input) || this.interrupts.value.length > 0) return;
    await this.#guarded(async () => {
      this.#takeInterrupts(await api.conversation(this.id));
    });
  }

  /** Sends the next message that waits, but not after a run that failed or needs an answer. */
  #sendNext(): void {
    if (this.#running.value !== undefined || this.interrupts.value.length > 0) return;
    const [next, ...waiting] = this.queue.value;
    if (next === undefined || this.ending.value === 'failed') return;
    this.queue.value = waiting;
    this.send(next);
  }

  #apply(event: AGUIEvent, runId: string): void {
    this.items.value = withEvent(this.items.value, event);
    if (event.type === 'RUN_ERROR') {
      const { code = '', message } = event;
      const metadata = event.metadata as { readonly requestId?: string } | undefined;
      this.#addError(code, message, metadata?.requestId);
      this.#end('failed', runId);
    }
    if (event.type === 'CUSTOM' && event.name === 'notice') {
      const { provider, scopes } = event.value as {
        readonly provider: string;
        readonly scopes: readonly string[];
      };
      this.#addNote(texts.widerScopes(this.#events.nameOf(provider), scopes.join(', ')));
    }
    if (event.type === 'RUN_FINISHED') this.#finish(event, runId);
  }

  #finish(event: AGUIEvent, runId: string): void {
    const { outcome } = event as unknown as {
      readonly outcome?: { readonly type: string; readonly interrupts?: readonly Interrupt[] };
    };
    this.interrupts.value = outcome?.interrupts ?? [];
    if (outcome?.type === 'cancelled') {
      this.#addNote(texts.outcomes.cancelled ?? '');
      this.#end('stopped', runId);
    } else this.#end(this.interrupts.value.length > 0 ? 'needed' : 'complete', runId);
  }

  #end(ending: Ending, runId: string): void {
    this.ending.value = ending;
    this.#shown = shownOf(runId, this.interrupts.value);
    if (ending === 'failed' || ending === 'stopped') this.again.value = this.lastMessage();
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
      if (error instanceof Problem) this.#addError(error.code, error.message, error.requestId);
      else this.#events.failed(error);
    }
  }
}

/** What a conversation ends with: the same while nobody has used it. */
function shownOf(runId: string | undefined, interrupts: readonly { readonly id: string }[]): string {
  return JSON.stringify([runId, interrupts.map(({ id }) => id)]);
}
