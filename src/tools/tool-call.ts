import type { User } from '../identity/sign-in/index.js';
import type { AuthorizationRequest } from '../identity/token-vault/index.js';
import type { AgentToolOptions, ToolCallContext } from './agent-tool.decorator.js';
import type { Account, OfferedProvider, Provider } from './provider.js';
import type { ToolFailureCode } from './tool.errors.js';

/** A tool that was found, and how it is called. */
export interface RegisteredTool {
  readonly options: AgentToolOptions;
  readonly offered: Pick<OfferedProvider, 'provider' | 'config' | 'identify'>;
  readonly run: (input: unknown, context: ToolCallContext) => Promise<unknown>;
  /** Looks a write up that may have been done; undefined where the tool cannot. */
  readonly verify: ((input: unknown, context: ToolCallContext, since: Date) => Promise<unknown>) | undefined;
}

/** The user, the conversation and the run of a call. */
export interface RunContext {
  readonly user: User;
  readonly sessionId: string;
  readonly runId: string;
}

/** What the conversation knows of its writes, each named by the digest of tool, input and account. */
export interface WriteNotes {
  /** Called before a write is made; it is not made when this rejects. */
  readonly begin: (digest: string) => Promise<void>;
  /** Since when it is in doubt whether the same write was done before: Unix milliseconds; undefined where it is not. */
  readonly doubtedSince: (digest: string) => number | undefined;
  /** The write is known to be done. */
  readonly settle: (digest: string) => void;
}

/** What a user wants to be sent in the place of the model's input. */
export interface EditedInput {
  /** A model can use the id of a call again, for another tool. */
  readonly tool: string;
  readonly input: unknown;
  /** The account as which the user was asked to approve; undefined where the provider does not tell. */
  readonly accountId: string | undefined;
  /** The user has approved it, and it has not been sent yet. */
  readonly isApproved: boolean;
}

export interface ToolCall extends RunContext {
  readonly signal: AbortSignal;
  /** The digest of the call that the user has approved; good for that very call, once. */
  readonly approved: string | undefined;
  /** The user has put another input in the place of the model's, for this account. */
  readonly edited?: EditedInput | undefined;
  /** The user allows calls like the approved one in this conversation. */
  readonly allowsMore?: boolean;
  /** When the conversation began: Unix milliseconds. Another one may have had its id. */
  readonly since?: number;
  /** The user has already been sent to the provider anew for this call; it does not happen twice. */
  readonly reauthenticated: boolean;
  /** The user's answer about another account: its id to switch to it, or to consent again as the account before. */
  readonly account: { readonly switchTo: string } | 'consent_again' | undefined;
  readonly writes: WriteNotes;
}

/** How a call ended, or what it waits for. */
export type ToolOutcome =
  | {
      readonly kind: 'result';
      /** The provider's id. */
      readonly provider: string;
      readonly data: unknown;
      /** Scopes that the provider has granted and no tool asks for; reported once. */
      readonly widerScopes: readonly string[];
      /** The write had been done before, and was not done again. */
      readonly wasDone?: true;
      /** What the user has sent in the place of the model's input. */
      readonly edited?: unknown;
    }
  | { readonly kind: 'failure'; readonly code: ToolFailureCode; readonly message: string }
  | ApprovalRequired
  | AuthorizationRequired
  | AccountChanged;

/** As much of a provider as its users are shown. */
export type DisplayedProvider = Pick<Provider, 'id' | 'label' | 'scopes'>;

/** A write that the user has not approved yet. */
export interface ApprovalRequired {
  readonly kind: 'approval_required';
  readonly tool: string;
  /** The provider's id. */
  readonly provider: string;
  /** The input that will be sent, after validation. */
  readonly input: unknown;
  readonly inputBytes: number;
  /** Of tool, input and account. */
  readonly digest: string;
  /** As whom, where the provider tells. */
  readonly account: Account | undefined;
  /** The inputs for which the user may allow further calls; undefined where the tool does not permit that. */
  readonly within?: Readonly<Record<string, string>> | undefined;
  /** Why the user's own input was not taken. */
  readonly fault?: string;
  /** As in a result. */
  readonly widerScopes: readonly string[];
}

/** There is no token: the user must consent. */
export interface AuthorizationRequired {
  readonly kind: 'authorization_required';
  readonly tool: string;
  readonly provider: DisplayedProvider;
  readonly scopes: readonly string[];
  readonly authorization: AuthorizationRequest;
  /** The account that the user has connected before. */
  readonly account: Account | undefined;
  /** The provider had refused the stored token. */
  readonly reauthenticated: boolean;
  /** The tool has been called already: an approval is used up. */
  readonly called: boolean;
}

/** The token is another account's than before: the user decides. */
export interface AccountChanged {
  readonly kind: 'account_changed';
  readonly tool: string;
  readonly provider: DisplayedProvider;
  readonly before: Account;
  readonly now: Account;
}
