/** What a run waits for, as the user is shown it. */
export interface Interrupt {
  readonly id: string;
  readonly reason: string;
  readonly toolCallId: string;
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
  readonly begun: () => void;
  /** The conversation was shown, and is not there any more. */
  readonly gone: () => void;
  /** A provider's name for people. */
  readonly nameOf: (provider: string) => string;
}

/** How the last run ended, for assistive software. */
export type Ending = 'complete' | 'needed' | 'stopped' | 'failed';

/** Whether what is stored of the conversation is shown. */
export type Phase = 'new' | 'loading' | 'loaded' | 'failed';
