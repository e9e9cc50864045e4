import { signal } from '@preact/signals';
import { api } from '../net/api.ts';
import { texts } from '../texts.ts';
import { Chat } from './chat.ts';
import type { TabMessage } from './chat-types.ts';
import { faultOf } from './fault.ts';
import { Names } from './names.ts';

const KEPT = 'onbehalf.docs.conversation';

/** The conversation that the last request of Swagger UI belongs to. It is the same after a reload of this tab. */
export class Live {
  readonly chat = signal<Chat | undefined>(undefined);
  readonly fault = signal<string | undefined>(undefined);
  readonly names = new Names();
  readonly #channel = new BroadcastChannel('onbehalf');

  start(): void {
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
      this.chat.value?.hear(data);
    };
    const kept = sessionStorage.getItem(KEPT);
    if (kept !== null) {
      this.chat.value = this.#chat(kept);
      void this.chat.value.open();
    }
    this.#refreshNames();
  }

  /** Swagger UI has begun a run: it is read here as well. @param text the user's message, where there is one */
  follow(sessionId: string, runId: string, text: string | undefined): void {
    this.fault.value = undefined;
    if (this.chat.value?.id !== sessionId) {
      this.chat.value?.close();
      this.chat.value = this.#chat(sessionId);
      sessionStorage.setItem(KEPT, sessionId);
    }
    this.chat.value.hear({ type: 'run_started', sessionId, runId, ...(text !== undefined && { text }) });
  }

  #chat(id: string): Chat {
    return new Chat(id, 'loading', {
      ended: () => {
        this.#refreshNames();
      },
      failed: (error) => {
        this.#tell(error);
      },
      tellTabs: (message) => {
        this.#channel.postMessage(message);
      },
      begun: () => undefined,
      gone: () => {
        this.fault.value = texts.gone;
      },
      nameOf: (provider) => this.names.provider(provider),
    });
  }

  #refreshNames(): void {
    api.connections().then(
      (connections) => {
        this.names.connections.value = connections;
      },
      (error: unknown) => {
        this.#tell(error);
      },
    );
  }

  #tell(error: unknown): void {
    const { kind, text } = faultOf(error);
    this.fault.value = kind === 'signed_out' ? texts.signedOutReload : text;
  }
}
