import { batch, signal } from '@preact/signals';
import { api, type ConversationSummary, type UsageView } from '../net/api.ts';
import { texts } from '../texts.ts';
import { Chat } from './chat.ts';
import type { TabMessage } from './chat-types.ts';
import { drafts } from './drafts.ts';
import { faultOf, type Fault } from './fault.ts';
import { Names } from './names.ts';

const CONNECTIONS = '/?view=connections';
const VALID_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The page: which conversation is open, and the list of the others. */
export class App {
  readonly chat = signal<Chat>(this.#chat(idOf(location.search)));
  readonly conversations = signal<readonly ConversationSummary[]>([]);
  readonly next = signal<string | undefined>(undefined);
  /** Shown above everything else. */
  readonly banner = signal<Fault | undefined>(undefined);
  readonly displayName = signal<string | undefined>(undefined);
  readonly usage = signal<UsageView | undefined>(undefined);
  readonly names = new Names();
  /** Whether the connections are shown in the place of a conversation. */
  readonly areConnectionsShown = signal(isOfConnections(location.search));
  readonly search = signal('');
  readonly isListOpen = signal(false);
  readonly areKeysShown = signal(false);
  readonly #channel = new BroadcastChannel('onbehalf');
  /** Conversations that are not shown, and have a run or messages that wait. */
  readonly #kept = new Map<string, Chat>();

  start(): void {
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
      for (const chat of [this.chat.value, ...this.#kept.values()]) chat.hear(data);
      if (data.type === 'run_started') this.#touch(data.sessionId);
    };
    addEventListener('popstate', () => {
      this.areConnectionsShown.value = isOfConnections(location.search);
      this.#show(idOf(location.search));
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.#comeBack();
    });
    addEventListener('online', () => void this.#comeBack());
    if (idOf(location.search) !== undefined) void this.chat.value.open();
    void this.refresh();
    void this.refreshAccounts();
    void this.#refreshUsage();
    void this.#refreshPerson();
  }

  /** The user, the conversation and the list may have changed while the page was hidden. */
  async #comeBack(): Promise<void> {
    await this.#refreshPerson();
    await this.chat.value.refresh();
    await this.refresh();
  }

  /** Another user must not see what this one has read. */
  async #refreshPerson(): Promise<void> {
    await this.guarded(async () => {
      const before = this.displayName.value;
      this.displayName.value = (await api.me()).displayName;
      if (before !== undefined && before !== this.displayName.value) location.assign('/');
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

  /** Reads the first page of the list again. The lines of further pages stay. */
  async refresh(): Promise<void> {
    await this.guarded(async () => {
      const { sessions, next } = await api.conversations();
      const first = new Set(sessions.map(({ sessionId }) => sessionId));
      const last = sessions.at(-1)?.updatedAt ?? '';
      const beyond = this.conversations.value.filter(
        ({ sessionId, updatedAt }) => !first.has(sessionId) && updatedAt < last,
      );
      batch(() => {
        this.conversations.value = [...sessions, ...beyond];
        if (beyond.length === 0) this.next.value = next;
      });
    });
  }

  async more(): Promise<void> {
    await this.guarded(async () => {
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
    const isShown = id !== undefined && id === this.chat.value.id && !this.areConnectionsShown.value;
    this.areConnectionsShown.value = false;
    if (!isShown) history.pushState(null, '', id === undefined ? '/' : `/?c=${id}`);
    this.#show(id);
  }

  openConnections(): void {
    if (!this.areConnectionsShown.value) history.pushState(null, '', CONNECTIONS);
    this.areConnectionsShown.value = true;
    this.isListOpen.value = false;
    void this.refreshAccounts();
  }

  /** Begins a conversation with a message. */
  ask(text: string): void {
    this.open();
    this.chat.value.send(text);
  }

  async rename(id: string, title: string): Promise<void> {
    await this.guarded(async () => {
      await api.renameConversation(id, title);
      this.conversations.value = this.conversations.value.map((each) =>
        each.sessionId === id ? { ...each, title } : each,
      );
    });
  }

  async remove(id: string): Promise<void> {
    await this.guarded(async () => {
      await api.deleteConversation(id);
      this.conversations.value = this.conversations.value.filter(({ sessionId }) => sessionId !== id);
      drafts.keep(id, '');
      this.#kept.get(id)?.close();
      this.#kept.delete(id);
      if (this.chat.value.id === id) this.open();
    });
  }

  #show(id: string | undefined): void {
    this.isListOpen.value = false;
    const before = this.chat.value;
    if (before.id === id) return;
    if (before.isBusy) this.#kept.set(before.id, before);
    else before.close();
    const kept = this.#kept.get(id ?? '');
    this.#kept.delete(id ?? '');
    this.chat.value = kept ?? this.#chat(id);
    if (id !== undefined && kept === undefined) void this.chat.value.open();
  }

  /** @param known absent for a new conversation */
  #chat(known: string | undefined): Chat {
    const id = known ?? crypto.randomUUID();
    const chat: Chat = new Chat(id, known === undefined ? 'new' : 'loading', {
      ended: (accounts) => {
        this.#touch(id);
        void this.#refreshUsage();
        if (accounts) void this.refreshAccounts();
        if (this.chat.value !== chat && !chat.isBusy) this.#kept.delete(id);
      },
      nameOf: (provider) => this.names.provider(provider),
      failed: (error) => {
        this.#tell(error);
      },
      begun: () => {
        history.replaceState(null, '', `/?c=${id}`);
      },
      gone: () => {
        this.conversations.value = this.conversations.value.filter(({ sessionId }) => sessionId !== id);
        if (this.chat.value !== chat) return;
        this.open();
        this.banner.value = { kind: 'problem', text: texts.gone };
      },
      tellTabs: (message) => {
        this.#channel.postMessage(message);
      },
    });
    return chat;
  }

  /** The conversation comes first now. One that is not listed yet is read with the list. */
  #touch(id: string): void {
    const known = this.conversations.value.find(({ sessionId }) => sessionId === id);
    if (known === undefined) void this.refresh();
    else this.conversations.value = [known, ...this.conversations.value.filter((each) => each !== known)];
  }

  async refreshAccounts(): Promise<void> {
    await this.guarded(async () => {
      this.names.connections.value = await api.connections();
    });
  }

  async #refreshUsage(): Promise<void> {
    await this.guarded(async () => {
      this.usage.value = await api.usage();
    });
  }

  #tell(error: unknown): void {
    this.banner.value = faultOf(error);
  }

  /** Does some work, and tells what goes wrong above everything else. */
  async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      // The service answers this browser, so these are over.
      const kind = this.banner.value?.kind;
      if (kind === 'offline' || kind === 'signed_out') this.banner.value = undefined;
    } catch (error) {
      this.#tell(error);
    }
  }
}

function isOfConnections(search: string): boolean {
  return `/${search}` === CONNECTIONS;
}

/** The conversation that an address names; undefined for a new one. */
function idOf(search: string): string | undefined {
  const id = new URLSearchParams(search).get('c') ?? '';
  return VALID_ID.test(id) ? id : undefined;
}
