import { batch, signal } from '@preact/signals';
import { api, Offline, Problem, SignedOut, type ConversationSummary, type UsageView } from '../net/api.ts';
import { texts } from '../texts.ts';
import { Chat, type TabMessage } from './chat.ts';
import { drafts } from './drafts.ts';
import { Names } from './names.ts';

/** What the page says above everything else. */
export interface Banner {
  readonly kind: 'signed_out' | 'offline' | 'problem';
  readonly text: string;
  readonly requestId?: string | undefined;
}

const VALID_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The page: which conversation is open, and the list of the others. */
export class App {
  readonly chat = signal<Chat>(this.#chat(idOf(location.search) ?? crypto.randomUUID()));
  readonly conversations = signal<readonly ConversationSummary[]>([]);
  readonly next = signal<string | undefined>(undefined);
  readonly banner = signal<Banner | undefined>(undefined);
  readonly displayName = signal<string | undefined>(undefined);
  readonly usage = signal<UsageView | undefined>(undefined);
  readonly names = new Names();
  readonly search = signal('');
  readonly isListOpen = signal(false);
  readonly areKeysShown = signal(false);
  readonly #channel = new BroadcastChannel('onbehalf');

  start(): void {
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
      this.chat.value.hear(data);
      if (data.type === 'run_started') this.#touch(data.sessionId);
    };
    addEventListener('popstate', () => {
      this.#show(idOf(location.search));
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.chat.value.refresh();
    });
    addEventListener('online', () => {
      if (this.banner.value?.kind === 'offline') this.banner.value = undefined;
      void this.refresh();
    });
    if (idOf(location.search) !== undefined) void this.chat.value.open();
    void this.refresh();
    void this.#refreshAccounts();
    void this.#refreshUsage();
    void this.#guarded(async () => {
      this.displayName.value = (await api.me()).displayName;
    });
  }

  /** Whether the open conversation has no address yet. */
  isNew(): boolean {
    return idOf(location.search) === undefined;
  }

  /** Opens the list, and puts the focus into its search. */
  showSearch(): void {
    this.isListOpen.value = true;
    requestAnimationFrame(() => {
      document.querySelector<HTMLElement>('#search')?.focus();
    });
  }

  /** The title of the open conversation; undefined for a new one. */
  title(): string | undefined {
    const { id } = this.chat.value;
    return this.conversations.value.find(({ sessionId }) => sessionId === id)?.title;
  }

  /** Reads the beginning of the list again. */
  async refresh(): Promise<void> {
    await this.#guarded(async () => {
      const { sessions, next } = await api.conversations();
      batch(() => {
        this.conversations.value = sessions;
        this.next.value = next;
      });
    });
  }

  async more(): Promise<void> {
    await this.#guarded(async () => {
      const { sessions, next } = await api.conversations(this.next.value);
      const known = new Set(this.conversations.value.map(({ sessionId }) => sessionId));
      batch(() => {
        this.conversations.value = [
          ...this.conversations.value,
          ...sessions.filter(({ sessionId }) => !known.has(sessionId)),
        ];
        this.next.value = next;
      });
    });
  }

  /** @param id absent for a new conversation */
  open(id?: string): void {
    history.pushState(null, '', id === undefined ? '/' : `/?c=${id}`);
    this.#show(id);
  }

  async rename(id: string, title: string): Promise<void> {
    await this.#guarded(async () => {
      await api.renameConversation(id, title);
      this.conversations.value = this.conversations.value.map((each) =>
        each.sessionId === id ? { ...each, title } : each,
      );
    });
  }

  async remove(id: string): Promise<void> {
    await this.#guarded(async () => {
      await api.deleteConversation(id);
      this.conversations.value = this.conversations.value.filter(({ sessionId }) => sessionId !== id);
      drafts.keep(id, '');
      if (this.chat.value.id === id) this.open();
    });
  }

  #show(id: string | undefined): void {
    if (this.chat.value.id === id) return;
    this.chat.value.close();
    batch(() => {
      this.chat.value = this.#chat(id ?? crypto.randomUUID());
      this.isListOpen.value = false;
    });
    if (id !== undefined) void this.chat.value.open();
  }

  #chat(id: string): Chat {
    return new Chat(id, {
      ended: (accounts) => {
        this.#touch(id);
        void this.#refreshUsage();
        if (accounts) void this.#refreshAccounts();
      },
      nameOf: (provider) => this.names.provider(provider),
      failed: (error) => {
        this.#tell(error);
      },
      begun: (begun) => {
        history.replaceState(null, '', `/?c=${begun}`);
      },
      tellTabs: (message) => {
        this.#channel.postMessage(message);
      },
    });
  }

  /** The conversation comes first now. One that is not listed yet is read with the list. */
  #touch(id: string): void {
    const known = this.conversations.value.find(({ sessionId }) => sessionId === id);
    if (known === undefined) void this.refresh();
    else this.conversations.value = [known, ...this.conversations.value.filter((each) => each !== known)];
  }

  async #refreshAccounts(): Promise<void> {
    await this.#guarded(async () => {
      this.names.connections.value = await api.connections();
    });
  }

  async #refreshUsage(): Promise<void> {
    await this.#guarded(async () => {
      this.usage.value = await api.usage();
    });
  }

  #tell(error: unknown): void {
    if (error instanceof SignedOut) this.banner.value = { kind: 'signed_out', text: texts.signedOut };
    else if (error instanceof Offline) this.banner.value = { kind: 'offline', text: texts.offline };
    else if (error instanceof Problem)
      this.banner.value = { kind: 'problem', text: error.message, requestId: error.requestId };
    else throw error;
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#tell(error);
    }
  }
}

/** The conversation that an address names; undefined for a new one. */
function idOf(search: string): string | undefined {
  const id = new URLSearchParams(search).get('c') ?? '';
  return VALID_ID.test(id) ? id : undefined;
}
